import { type Kernel } from '@jupyterlab/services';

import { type Execution, inSubshell } from './subshells';

/** The configs of a kernel: the active one's name, "" without one, and all names. */
export interface IConfigs {
  active: string;
  names: string[];
}

/** One expression, so that no name is left in the notebook; None where azml_magics is not in use. */
const EXPRESSION =
  '(lambda module: __import__("json").dumps([module.current().active, module.current().names()])' +
  ' if module else None)(__import__("sys").modules.get("azml_magics.session"))';

/**
 * What the session of a kernel knows; null where the kernel does not use azml_magics, has no Python
 * or ends meanwhile. The question is silent: it counts up no In [n] and leaves nothing in the
 * history. With `atOnce` a busy kernel is asked beside its cell, where it has subshells.
 */
export async function configsOf(
  kernel: Kernel.IKernelConnection,
  atOnce = false
): Promise<IConfigs | null> {
  const ask = (): Execution =>
    kernel.requestExecute({
      code: '',
      silent: true,
      store_history: false,
      user_expressions: { configs: EXPRESSION },
      allow_stdin: false,
      stop_on_error: false
    });
  try {
    const future = atOnce && kernel.status === 'busy' ? await inSubshell(kernel, ask) : ask();
    const { content } = await future.done;
    return content.status === 'ok' ? read(content.user_expressions.configs) : null;
  } catch {
    return null;
  }
}

/** The answer: the repr of a JSON text in ASCII, whose only escapes are doubled backslashes. */
function read(answer: unknown): IConfigs | null {
  const data = (answer as { data?: Record<string, unknown> } | undefined)?.data;
  const repr = data?.['text/plain'];
  if (typeof repr !== 'string' || !repr.startsWith("'")) {
    return null;
  }
  try {
    const [active, names] = JSON.parse(repr.slice(1, -1).replaceAll('\\\\', '\\')) as [
      string,
      string[]
    ];
    return { active, names };
  } catch {
    return null;
  }
}
