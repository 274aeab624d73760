import { type Kernel } from '@jupyterlab/services';

import { type Execution, runInSubshell } from './subshells';

/** The configs of a kernel: the name of the active one ("" if there is none) and all names. */
export interface IConfigs {
  active: string;
  names: string[];
}

/** A single expression, which defines no variable in the notebook; None if azml_magics is not in use. */
const EXPRESSION =
  '(lambda module: __import__("json").dumps([module.current().active, module.current().names()])' +
  ' if module else None)(__import__("sys").modules.get("azml_magics.session"))';

/**
 * The configs of a kernel's session; null if the kernel does not use azml_magics, is not a Python kernel
 * or ends meanwhile. The request is silent: it does not change In [n] or the history. With `whileBusy`
 * a busy kernel responds while its cell runs, if it supports subshells.
 */
export async function fetchConfigs(
  kernel: Kernel.IKernelConnection,
  whileBusy = false
): Promise<IConfigs | null> {
  const request = (): Execution =>
    kernel.requestExecute({
      code: '',
      silent: true,
      store_history: false,
      user_expressions: { configs: EXPRESSION },
      allow_stdin: false,
      stop_on_error: false
    });
  try {
    const future =
      whileBusy && kernel.status === 'busy' ? await runInSubshell(kernel, request) : request();
    const { content } = await future.done;
    return content.status === 'ok' ? parseConfigs(content.user_expressions.configs) : null;
  } catch {
    return null;
  }
}

/** Parse the repr of a JSON text in ASCII, whose only escapes are doubled backslashes. */
function parseConfigs(result: unknown): IConfigs | null {
  const data = (result as { data?: Record<string, unknown> } | undefined)?.data;
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
