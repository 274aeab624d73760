import { type ISessionContext } from '@jupyterlab/apputils';
import { type INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { type Kernel, KernelMessage } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';

import { configsOf } from './kernel-configs';

const MENTION = /%azureml\b|\bazml_magics\b/;

/** What is known of one kernel. */
interface IKnown {
  /** The active config, "" without one; null until the kernel has named it. */
  active: string | null;
  /** Whether the side panel is shown: its clicks are comm messages. */
  hasPanel: boolean;
  /** The executions under way that mention us, by the ids of their messages. */
  executions: Set<string>;
  isAsking: boolean;
  isStale: boolean;
}

/**
 * The active config of each notebook's kernel. A kernel is asked only after it has run code that
 * names azml_magics, or shown the side panel; any other kernel is left alone.
 */
export class ActiveConfigs {
  constructor(private readonly tracker: INotebookTracker) {
    tracker.forEach(notebook => {
      this.watch(notebook);
    });
    tracker.widgetAdded.connect((_, notebook) => {
      this.watch(notebook);
    });
    tracker.currentChanged.connect(() => {
      this._changed.emit();
    });
  }

  /** What `current` says may be another. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The active config of the notebook in front: null where its kernel does not use azml_magics. */
  get current(): string | null {
    const kernel = this.tracker.currentWidget?.sessionContext.session?.kernel;
    return (kernel && this.known.get(kernel.id)?.active) ?? null;
  }

  /** The side panel was shown in this kernel. */
  panelShown(kernel: Kernel.IKernelConnection): void {
    this.knownOf(kernel.id).hasPanel = true;
    void this.ask(kernel);
  }

  private watch(notebook: NotebookPanel): void {
    const context = notebook.sessionContext;
    context.iopubMessage.connect(this.onMessage, this);
    context.kernelChanged.connect(this.onKernelChanged, this);
    context.statusChanged.connect(this.onStatusChanged, this);
  }

  private onKernelChanged(
    _: ISessionContext,
    change: { oldValue: Kernel.IKernelConnection | null }
  ): void {
    if (change.oldValue?.isDisposed) {
      this.known.delete(change.oldValue.id);
    }
    this._changed.emit();
  }

  private onStatusChanged(context: ISessionContext, status: Kernel.Status): void {
    const kernel = context.session?.kernel;
    if (kernel && (status === 'restarting' || status === 'autorestarting' || status === 'dead')) {
      this.known.delete(kernel.id);
      this._changed.emit();
    }
  }

  private onMessage(context: ISessionContext, message: KernelMessage.IMessage): void {
    const kernel = context.session?.kernel;
    const parent = message.parent_header;
    if (!kernel || !('msg_id' in parent)) {
      return;
    }
    if (KernelMessage.isExecuteInputMsg(message)) {
      if (MENTION.test(message.content.code)) {
        this.knownOf(kernel.id).executions.add(parent.msg_id);
      }
    } else if (KernelMessage.isStatusMsg(message) && message.content.execution_state === 'idle') {
      const known = this.known.get(kernel.id);
      const isOurs = known?.executions.delete(parent.msg_id) ?? false;
      if (isOurs || (known?.hasPanel && parent.msg_type === 'comm_msg')) {
        void this.ask(kernel);
      }
    }
  }

  private knownOf(id: string): IKnown {
    let known = this.known.get(id);
    if (!known) {
      known = {
        active: null,
        hasPanel: false,
        executions: new Set(),
        isAsking: false,
        isStale: false
      };
      this.known.set(id, known);
    }
    return known;
  }

  /** Ask the kernel, one question at a time; what happens meanwhile is asked for afterwards. */
  private async ask(kernel: Kernel.IKernelConnection): Promise<void> {
    const known = this.knownOf(kernel.id);
    known.isStale = true;
    if (known.isAsking) {
      return;
    }
    known.isAsking = true;
    while (known.isStale && this.known.get(kernel.id) === known) {
      known.isStale = false;
      known.active = (await configsOf(kernel))?.active ?? null;
      this._changed.emit();
    }
    known.isAsking = false;
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly known = new Map<string, IKnown>();
}
