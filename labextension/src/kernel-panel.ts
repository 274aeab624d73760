import { type ISessionContext } from '@jupyterlab/apputils';
import { type NotebookPanel } from '@jupyterlab/notebook';
import { OutputAreaModel, SimplifiedOutputArea } from '@jupyterlab/outputarea';
import { type Kernel, type KernelMessage } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';
import { Panel } from '@lumino/widgets';

import { Notice } from './notice';
import { type Execution, inSubshell } from './subshells';

/** What shows the panel in a kernel, unless the settings say otherwise. */
export const PANEL_CODE =
  '__import__("azml_magics.notebook", fromlist=["side_panel"]).side_panel()';

/** What the settings say. */
export interface IPanelOptions {
  /** The Python code that displays the panel of its kernel. */
  code: string;
  /** Whether it is run in a subshell, so that the panel answers while cells run. */
  subshell: boolean;
}

/**
 * The panel of one notebook's kernel: the output of one line of Python, shown with the rendermime
 * of that notebook, because that is where the widget manager registers its renderer.
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

  /** The panel was shown in this kernel: from now on the kernel uses azml_magics. */
  get loaded(): ISignal<this, Kernel.IKernelConnection> {
    return this._loaded;
  }

  /** Show the panel; nothing happens where this life of the kernel has shown it already. */
  ensure(): void {
    this.isWanted = true;
    if (!this.isFresh) {
      void this.load();
    }
  }

  /** Show the panel anew. */
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
    // Without a kernel `ready` stays pending; kernelChanged comes once there is one.
    if (!context.session?.kernel) {
      this.notice.say('This notebook has no kernel. Choose one to use Azure ML in it.');
      return;
    }
    this.isFresh = true;
    const turn = ++this.turn;
    this.notice.say('Waiting for the kernel…');
    try {
      // The notebook's widget manager is made once its session is ready.
      await context.ready;
      const kernel = this.notebook.sessionContext.session?.kernel; // it may be gone meanwhile
      if (kernel && this.isCurrent(turn)) {
        await this.loadIn(kernel, turn);
      }
    } catch (error) {
      if (this.isCurrent(turn)) {
        this.fail(`The panel could not be loaded: ${String(error)}`);
      }
    }
  }

  private async loadIn(kernel: Kernel.IKernelConnection, turn: number): Promise<void> {
    const language = (await kernel.info).language_info.name;
    const { code, subshell } = await this.options();
    if (!this.isCurrent(turn)) {
      return;
    }
    if (language !== 'python') {
      this.fail(
        `This notebook's kernel runs ${language}. The Azure ML panel needs a Python kernel.`
      );
      return;
    }
    if (kernel.status === 'busy') {
      this.notice.say('The kernel is busy. The panel comes as soon as the kernel answers.');
    }
    const run = (): Execution => execute(kernel, code);
    const future = await (subshell ? inSubshell(kernel, run) : Promise.resolve(run()));
    if (!this.isCurrent(turn)) {
      future.dispose();
      return;
    }
    this.display(future);
    const { content } = await future.done;
    if (this.isCurrent(turn)) {
      this.settle(content, kernel);
    }
  }

  private display(future: Execution): void {
    this.area?.dispose();
    // The widget renderer counts as unsafe, so that it shows in trusted outputs only; the output
    // comes from the user's own kernel, a moment ago.
    const model = new OutputAreaModel({ trusted: true });
    const area = new SimplifiedOutputArea({
      model,
      rendermime: this.notebook.content.rendermime
    });
    area.future = future;
    this.area = area;
    this.addWidget(area);
  }

  /** What is left to say once the code has run. */
  private settle(
    content: KernelMessage.IReplyErrorContent | { status: string },
    kernel: Kernel.IKernelConnection
  ): void {
    if (content.status === 'ok') {
      this.notice.say('');
      this._loaded.emit(kernel);
      return;
    }
    if (!('ename' in content)) {
      this.fail('The kernel left the panel out, because a cell before it failed.');
      return;
    }
    const { ename, evalue } = content;
    if (ename === 'ModuleNotFoundError' && evalue.includes('azml_magics')) {
      this.area?.dispose();
      this.fail(
        "This kernel's Python has no azml-magics. Run this in a cell, then try again:",
        '%pip install azml-magics'
      );
    } else if (ename === 'AttributeError' && evalue.includes('side_panel')) {
      this.area?.dispose();
      this.fail(
        'The azml-magics of this kernel is older than its panel. Run this in a cell, restart the kernel, then try again:',
        '%pip install --upgrade azml-magics'
      );
    } else {
      this.fail('The panel could not be loaded:');
    }
  }

  private fail(text: string, remedy = ''): void {
    this.notice.say(text, remedy, () => {
      this.reload();
    });
  }

  /** Whether no later load, restart or kernel has taken the place of that one. */
  private isCurrent(turn: number): boolean {
    return !this.isDisposed && turn === this.turn;
  }

  private onKernelChanged(
    _: ISessionContext,
    change: { newValue: Kernel.IKernelConnection | null }
  ): void {
    this.invalidate();
    if (this.isWanted) {
      if (change.newValue) {
        this.notice.say('Waiting for the kernel…');
      }
      void this.load();
    }
  }

  private onStatusChanged(_: ISessionContext, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this.invalidate();
      if (this.isWanted) {
        this.notice.say(
          status === 'dead'
            ? 'The kernel has ended. Restart it to use Azure ML.'
            : 'Waiting for the kernel…'
        );
      }
    } else if (status === 'idle' && this.isWanted && !this.isFresh) {
      void this.load(); // restarted: there is no kernelChanged then
    }
  }

  /** The widgets that are shown are dead: their kernel is gone. */
  private invalidate(): void {
    this.turn++;
    this.isFresh = false;
    this.area?.dispose();
    this.area = null;
  }

  private readonly _loaded = new Signal<this, Kernel.IKernelConnection>(this);
  private readonly notice: Notice;
  private area: SimplifiedOutputArea | null = null;
  private isWanted = false;
  private isFresh = false;
  private turn = 0;
}

/** Not OutputArea.execute(): that would store history and count up In [n]. */
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
