import { type Kernel, type KernelMessage } from '@jupyterlab/services';

/** A request to run code, and what comes of it. */
export type Execution = Kernel.IShellFuture<
  KernelMessage.IExecuteRequestMsg,
  KernelMessage.IExecuteReplyMsg
>;

/** One subshell for each kernel. It is never deleted, as comms go through it: it ends with its kernel. */
const subshells = new Map<string, Promise<string | null>>();

/**
 * Make a request in a subshell of the kernel, so that it, and the widgets that it makes, answer
 * while a cell runs; on the main shell where there are none (JupyterLab < 4.4, ipykernel < 7).
 */
export async function inSubshell(
  kernel: Kernel.IKernelConnection,
  request: () => Execution
): Promise<Execution> {
  const subshell = await subshellOf(kernel);
  if (subshell === null || kernel.isDisposed) {
    return request();
  }
  // The message is made during the call. A clone() of the connection would have a websocket of its
  // own, on which display_data could arrive before comm_open.
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
  let made = subshells.get(kernel.id);
  if (!made) {
    made = create(kernel);
    subshells.set(kernel.id, made);
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
  return made;
}

async function create(kernel: Kernel.IKernelConnection): Promise<string | null> {
  try {
    const { content } = await kernel.requestCreateSubshell({}).done;
    return (content as { subshell_id?: string }).subshell_id ?? null; // an error has none
  } catch {
    return null; // the kernel ended meanwhile: the request itself will say so
  }
}
