import { type Kernel, type KernelMessage } from '@jupyterlab/services';

/** A request to run code, with its reply. */
export type Execution = Kernel.IShellFuture<
  KernelMessage.IExecuteRequestMsg,
  KernelMessage.IExecuteReplyMsg
>;

/** One subshell for each kernel. It is never deleted, because comms use it; it ends with its kernel. */
const subshells = new Map<string, Promise<string | null>>();

/**
 * Make a request in a subshell of the kernel, so that the request and the widgets that it makes respond
 * while a cell runs. Without subshells (JupyterLab < 4.4, ipykernel < 7) the main shell is used.
 */
export async function runInSubshell(
  kernel: Kernel.IKernelConnection,
  request: () => Execution
): Promise<Execution> {
  const subshell = await subshellOf(kernel);
  if (subshell === null || kernel.isDisposed) {
    return request();
  }
  // The message is made during the call. A clone() of the connection would have its own websocket, on
  // which display_data could arrive before comm_open.
  const before = kernel.subshellId;
  kernel.subshellId = subshell;
  try {
    return request();
  } finally {
    kernel.subshellId = before;
  }
}

async function subshellOf(kernel: Kernel.IKernelConnection): Promise<string | null> {
  if (!kernel.supportsSubshells) {
    return null;
  }
  let subshell = subshells.get(kernel.id);
  if (!subshell) {
    subshell = createSubshell(kernel);
    subshells.set(kernel.id, subshell);
    const forget = (): void => {
      subshells.delete(kernel.id);
    };
    kernel.disposed.connect(forget);
    kernel.statusChanged.connect((_, status) => {
      if (status === 'restarting' || status === 'autorestarting') {
        forget();
      }
    });
  }
  return subshell;
}

async function createSubshell(kernel: Kernel.IKernelConnection): Promise<string | null> {
  try {
    const { content } = await kernel.requestCreateSubshell({}).done;
    return (content as { subshell_id?: string }).subshell_id ?? null; // an error reply has none
  } catch {
    return null; // the kernel has ended; the request itself will report that
  }
}
