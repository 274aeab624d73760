import { type INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { type Kernel } from '@jupyterlab/services';
import { type Message } from '@lumino/messaging';
import { type ISignal, Signal } from '@lumino/signaling';
import { Panel } from '@lumino/widgets';

import { azmlIcon } from './icons';
import { type IPanelOptions, KernelPanel } from './kernel-panel';
import { Notice } from './notice';

/**
 * The side panel: shows the panel of the current notebook, one for each notebook. It runs code in a kernel
 * only after the user has opened it beside that kernel's notebook.
 */
export class SidePanel extends Panel {
  constructor(
    private readonly tracker: INotebookTracker,
    private readonly options: () => Promise<IPanelOptions>
  ) {
    super();
    this.id = 'azml-magics-panel';
    this.title.icon = azmlIcon;
    this.title.caption = 'Azure ML';
    this.addClass('azml-SidePanel');
    this.notice = new Notice();
    this.notice.setText('Open a notebook to use Azure ML in it.');
    this.addWidget(this.notice);
    tracker.currentChanged.connect(this.follow, this);
    this.follow();
  }

  /** Emitted when the panel was shown in a kernel. */
  get loaded(): ISignal<this, Kernel.IKernelConnection> {
    return this._loaded;
  }

  /** Reload the panel of the current notebook. */
  reload(): void {
    const notebook = this.tracker.currentWidget;
    if (notebook) {
      this.panelOf(notebook).reload();
    }
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.follow();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.follow();
  }

  private follow(): void {
    const current = this.tracker.currentWidget;
    this.notice.setHidden(current !== null);
    for (const [notebook, panel] of this.panels) {
      panel.setHidden(notebook !== current);
    }
    if (current && this.isVisible) {
      const panel = this.panelOf(current);
      panel.show();
      panel.ensureShown();
    }
  }

  private panelOf(notebook: NotebookPanel): KernelPanel {
    let panel = this.panels.get(notebook);
    if (!panel) {
      panel = new KernelPanel(notebook, this.options);
      panel.loaded.connect((_, kernel) => {
        this._loaded.emit(kernel);
      });
      this.panels.set(notebook, panel);
      this.addWidget(panel);
      notebook.disposed.connect(() => this.panels.delete(notebook));
    }
    return panel;
  }

  private readonly _loaded = new Signal<this, Kernel.IKernelConnection>(this);
  private readonly notice: Notice;
  private readonly panels = new Map<NotebookPanel, KernelPanel>();
}
