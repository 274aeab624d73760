import { type ISessionContext } from '@jupyterlab/apputils';
import { type INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { type Kernel, KernelMessage } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';

import { fetchConfigs } from './kernel-configs';

const MENTION = /%azureml\b|\bazml_magics\b/;

/** What is known about a kernel. */
interface IKernelState {
  /** The active config, "" if there is none; null until the kernel has reported it. */
  active: string | null;
  /** Whether the side panel was shown: clicks in it are comm messages. */
  hasPanel: boolean;
  /** The running executions whose code mentions azml_magics, by message id. */
  executions: Set<string>;
  isFetching: boolean;
  isStale: boolean;
}

/**
 * The active config of each notebook's kernel. A kernel gets a request only after it has run code that
 * mentions azml_magics or has shown the side panel.
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

  /** Emitted when `current` may have changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The current notebook's active config; null if its kernel does not use azml_magics. */
  get current(): string | null {
    const kernel = this.tracker.currentWidget?.sessionContext.session?.kernel;
    return (kernel && this.known.get(kernel.id)?.active) ?? null;
  }

  /** Follow a kernel in which the side panel was shown. */
  trackPanel(kernel: Kernel.IKernelConnection): void {
    this.stateOf(kernel.id).hasPanel = true;
    void this.fetch(kernel);
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
        this.stateOf(kernel.id).executions.add(parent.msg_id);
      }
    } else if (KernelMessage.isStatusMsg(message) && message.content.execution_state === 'idle') {
      const known = this.known.get(kernel.id);
      const isOurs = known?.executions.delete(parent.msg_id) ?? false;
      if (isOurs || (known?.hasPanel && parent.msg_type === 'comm_msg')) {
        void this.fetch(kernel);
      }
    }
  }

  private stateOf(id: string): IKernelState {
    let known = this.known.get(id);
    if (!known) {
      known = {
        active: null,
        hasPanel: false,
        executions: new Set(),
        isFetching: false,
        isStale: false
      };
      this.known.set(id, known);
    }
    return known;
  }

  /** Fetch the config, one request at a time; a change during a request causes another one. */
  private async fetch(kernel: Kernel.IKernelConnection): Promise<void> {
    const known = this.stateOf(kernel.id);
    known.isStale = true;
    if (known.isFetching) {
      return;
    }
    known.isFetching = true;
    while (known.isStale && this.known.get(kernel.id) === known) {
      known.isStale = false;
      known.active = (await fetchConfigs(kernel))?.active ?? null;
      this._changed.emit();
    }
    known.isFetching = false;
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly known = new Map<string, IKernelState>();
}
