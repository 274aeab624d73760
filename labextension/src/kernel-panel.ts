import { type ISessionContext } from '@jupyterlab/apputils';
import { type NotebookPanel } from '@jupyterlab/notebook';
import { OutputAreaModel, SimplifiedOutputArea } from '@jupyterlab/outputarea';
import { type Kernel, type KernelMessage } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';
import { Panel } from '@lumino/widgets';

import { Notice } from './notice';
import { type Execution, runInSubshell } from './subshells';

/** The Python code that displays the panel, unless the settings have another. */
export const PANEL_CODE =
  '__import__("azml_magics.notebook", fromlist=["side_panel"]).side_panel()';

/** The panel's settings. */
export interface IPanelOptions {
  /** The Python code that displays the panel of its kernel. */
  code: string;
  /** Whether to run it in a subshell, so that the panel responds while cells run. */
  subshell: boolean;
}

/**
 * The panel of one notebook's kernel: the output of a line of Python. It is rendered with the notebook's
 * rendermime, because the widget manager registers its renderer there.
 */
export class KernelPanel extends Panel {
  constructor(
    readonly notebook: NotebookPanel,
    private readonly options: () => Promise<IPanelOptions>
  ) {
    super();
    this.addClass('azml-KernelPanel');
    this.notice = new Notice();
    this.addWidget(this.notice);
    const context = notebook.sessionContext;
    context.kernelChanged.connect(this.onKernelChanged, this);
    context.statusChanged.connect(this.onStatusChanged, this);
    notebook.disposed.connect(this.dispose, this);
  }

  /** Emitted when the panel was shown in a kernel, which uses azml_magics from then on. */
  get loaded(): ISignal<this, Kernel.IKernelConnection> {
    return this._loaded;
  }

  /** Show the panel unless it was shown since the kernel started. */
  ensureShown(): void {
    this.isWanted = true;
    if (!this.isShown) {
      void this.load();
    }
  }

  /** Show the panel again. */
  reload(): void {
    this.isWanted = true;
    this.invalidate();
    void this.load();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    const context = this.notebook.sessionContext;
    context.kernelChanged.disconnect(this.onKernelChanged, this);
    context.statusChanged.disconnect(this.onStatusChanged, this);
    Signal.clearData(this);
    super.dispose();
  }

  private async load(): Promise<void> {
    const context = this.notebook.sessionContext;
    // Without a kernel `ready` stays pending; kernelChanged is emitted once there is one.
    if (!context.session?.kernel) {
      this.notice.setText('This notebook has no kernel. Choose one to use Azure ML in it.');
      return;
    }
    this.isShown = true;
    const generation = ++this.generation;
    this.notice.setText('Waiting for the kernel…');
    try {
      // The notebook's widget manager is made when the session is ready.
      await context.ready;
      const kernel = this.notebook.sessionContext.session?.kernel; // it may have changed meanwhile
      if (kernel && this.isCurrent(generation)) {
        await this.loadIn(kernel, generation);
      }
    } catch (error) {
      if (this.isCurrent(generation)) {
        this.fail(`The panel could not be loaded: ${String(error)}`);
      }
    }
  }

  private async loadIn(kernel: Kernel.IKernelConnection, generation: number): Promise<void> {
    const language = (await kernel.info).language_info.name;
    const { code, subshell } = await this.options();
    if (!this.isCurrent(generation)) {
      return;
    }
    if (language !== 'python') {
      this.fail(
        `This notebook's kernel runs ${language}. The Azure ML panel needs a Python kernel.`
      );
      return;
    }
    if (kernel.status === 'busy') {
      this.notice.setText('The kernel is busy. The panel appears when the kernel is free.');
    }
    const run = (): Execution => execute(kernel, code);
    const future = await (subshell ? runInSubshell(kernel, run) : Promise.resolve(run()));
    if (!this.isCurrent(generation)) {
      future.dispose();
      return;
    }
    this.display(future);
    const { content } = await future.done;
    if (this.isCurrent(generation)) {
      this.showOutcome(content, kernel);
    }
  }

  private display(future: Execution): void {
    this.area?.dispose();
    // The widget renderer is declared unsafe, so it needs a trusted output. This output is trusted: it has just
    // been made by the user's own kernel.
    const model = new OutputAreaModel({ trusted: true });
    const area = new SimplifiedOutputArea({
      model,
      rendermime: this.notebook.content.rendermime
    });
    area.future = future;
    this.area = area;
    this.addWidget(area);
  }

  /** Show how the code ended. */
  private showOutcome(
    content: KernelMessage.IReplyErrorContent | { status: string },
    kernel: Kernel.IKernelConnection
  ): void {
    if (content.status === 'ok') {
      this.notice.setText('');
      this._loaded.emit(kernel);
      return;
    }
    if (!('ename' in content)) {
      this.fail('The kernel skipped the panel because an earlier cell failed.');
      return;
    }
    const { ename, evalue } = content;
    if (ename === 'ModuleNotFoundError' && evalue.includes('azml_magics')) {
      this.area?.dispose();
      this.fail(
        "azml-magics is not installed for this kernel's Python. Run this in a cell, then try again:",
        '%pip install azml-magics'
      );
    } else if (ename === 'AttributeError' && evalue.includes('side_panel')) {
      this.area?.dispose();
      this.fail(
        'The azml-magics of this kernel is too old for this panel. Run this in a cell, restart the kernel, then try again:',
        '%pip install --upgrade azml-magics'
      );
    } else {
      this.fail('The panel could not be loaded:');
    }
  }

  private fail(text: string, remedy = ''): void {
    this.notice.setText(text, remedy, () => {
      this.reload();
    });
  }

  /** Whether no later load, restart or kernel has replaced that load. */
  private isCurrent(generation: number): boolean {
    return !this.isDisposed && generation === this.generation;
  }

  private onKernelChanged(
    _: ISessionContext,
    change: { newValue: Kernel.IKernelConnection | null }
  ): void {
    this.invalidate();
    if (this.isWanted) {
      if (change.newValue) {
        this.notice.setText('Waiting for the kernel…');
      }
      void this.load();
    }
  }

  private onStatusChanged(_: ISessionContext, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this.invalidate();
      if (this.isWanted) {
        this.notice.setText(
          status === 'dead'
            ? 'The kernel has ended. Restart it to use Azure ML.'
            : 'Waiting for the kernel…'
        );
      }
    } else if (status === 'idle' && this.isWanted && !this.isShown) {
      void this.load(); // after a restart, which does not emit kernelChanged
    }
  }

  /** Remove the widgets: the kernel that they belong to has ended. */
  private invalidate(): void {
    this.generation++;
    this.isShown = false;
    this.area?.dispose();
    this.area = null;
  }

  private readonly _loaded = new Signal<this, Kernel.IKernelConnection>(this);
  private readonly notice: Notice;
  private area: SimplifiedOutputArea | null = null;
  private isWanted = false;
  private isShown = false;
  private generation = 0;
}

/** Run code without a history entry. OutputArea.execute() would store one and increment In [n]. */
function execute(kernel: Kernel.IKernelConnection, code: string): Execution {
  const content = {
    code,
    silent: false,
    store_history: false,
    allow_stdin: false,
    stop_on_error: false
  };
  return kernel.requestExecute(content, false);
}
