import { type JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import { type Cell, type ICellModel } from '@jupyterlab/cells';
import { type INotebookTracker, NotebookActions } from '@jupyterlab/notebook';

import { asPrompt, canNameConfig, configOf, isPrompt, withConfig } from './cell-source';
import { azmlIcon, promptIcon, runWithIcon } from './icons';
import { fetchConfigs } from './kernel-configs';
import { type SidePanel } from './side-panel';

/** The ids of all commands. */
export const CommandIDs = {
  openPanel: 'azml-magics:open-panel',
  reloadPanel: 'azml-magics:reload-panel',
  insertCell: 'azml-magics:insert-cell',
  turnIntoPrompt: 'azml-magics:turn-into-prompt',
  runWithConfig: 'azml-magics:run-with-config'
} as const;

/** Add the commands of the panel and of the active cell. */
export function addCommands(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  panel: SidePanel
): void {
  const { commands } = app;
  commands.addCommand(CommandIDs.openPanel, {
    label: 'Open Azure ML Panel',
    caption: 'Configs and prompts of this notebook’s kernel',
    icon: azmlIcon,
    execute: () => {
      app.shell.activateById(panel.id);
    }
  });
  commands.addCommand(CommandIDs.reloadPanel, {
    label: 'Reload Azure ML Panel',
    isEnabled: () => tracker.currentWidget !== null,
    execute: () => {
      panel.reload();
    }
  });
  commands.addCommand(CommandIDs.insertCell, {
    label: 'Insert Azure ML Prompt Cell',
    caption: 'Insert a %%azureml cell below',
    icon: promptIcon,
    isEnabled: () => tracker.currentWidget !== null,
    execute: ({ text }) => insertCell(tracker, typeof text === 'string' ? text : '%%azureml\n')
  });
  handleInsertEvents(tracker);
  commands.addCommand(CommandIDs.turnIntoPrompt, {
    label: 'Turn Cell into Azure ML Prompt',
    caption: 'Add %%azureml above this cell’s text',
    icon: promptIcon,
    isEnabled: () => tracker.activeCell !== null && !isPromptCell(tracker.activeCell),
    isVisible: () => tracker.activeCell === null || !isPromptCell(tracker.activeCell),
    execute: () => {
      turnIntoPrompt(tracker);
    }
  });
  commands.addCommand(CommandIDs.runWithConfig, {
    label: 'Run Prompt with Another Config…',
    caption: 'Choose another config for this %%azureml cell and run it',
    icon: runWithIcon,
    isEnabled: () => canRunWithConfig(tracker.activeCell),
    isVisible: () => canRunWithConfig(tracker.activeCell),
    execute: () => runWithConfig(tracker)
  });
  followActiveCell(app, tracker);
}

/** Insert a code cell below the active one and put the cursor at its end. */
async function insertCell(tracker: INotebookTracker, text: string): Promise<void> {
  const notebook = tracker.currentWidget?.content;
  if (!notebook) {
    return;
  }
  NotebookActions.insertBelow(notebook);
  NotebookActions.changeCellType(notebook, 'code');
  const cell = notebook.activeCell;
  cell?.model.sharedModel.setSource(text);
  notebook.mode = 'edit';
  await cell?.ready; // its editor exists from then on
  const end = cell?.editor?.getPositionAt(text.length);
  if (end) {
    cell?.editor?.setCursorPosition(end);
  }
}

/** Insert a cell when the panel dispatches its event; the panel copies the text if the event is not handled. */
function handleInsertEvents(tracker: INotebookTracker): void {
  document.addEventListener('azml-magics:insert-cell', event => {
    const { text } = (event as CustomEvent<{ text?: unknown } | null>).detail ?? {};
    if (typeof text === 'string' && tracker.currentWidget) {
      event.preventDefault();
      void insertCell(tracker, text);
    }
  });
}

function turnIntoPrompt(tracker: INotebookTracker): void {
  const notebook = tracker.currentWidget?.content;
  if (!notebook?.activeCell) {
    return;
  }
  if (notebook.activeCell.model.type !== 'code') {
    notebook.deselectAll();
    NotebookActions.changeCellType(notebook, 'code');
  }
  const { sharedModel } = notebook.activeCell.model;
  sharedModel.setSource(asPrompt(sharedModel.getSource()));
}

async function runWithConfig(tracker: INotebookTracker): Promise<void> {
  const panel = tracker.currentWidget;
  const cell = tracker.activeCell;
  const kernel = panel?.sessionContext.session?.kernel;
  if (!panel || !cell) {
    return;
  }
  const configs = kernel ? await fetchConfigs(kernel, true) : null;
  if (!configs || configs.names.length === 0) {
    await showDialog({
      title: 'No configs yet',
      body: kernel
        ? 'This kernel has no configs. First run %load_ext azml_magics, then %azureml demo or %azureml save.'
        : 'This notebook has no kernel. Choose one first.',
      buttons: [Dialog.okButton()]
    });
    return;
  }
  const { sharedModel } = cell.model;
  const named = configOf(sharedModel.getSource()) || configs.active;
  const chosen = await InputDialog.getItem({
    title: 'Run prompt with',
    items: configs.names,
    current: Math.max(configs.names.indexOf(named), 0),
    okLabel: 'Run'
  });
  if (chosen.button.accept && chosen.value !== null && !cell.isDisposed) {
    sharedModel.setSource(withConfig(sharedModel.getSource(), chosen.value));
    await NotebookActions.runCells(panel.content, [cell], panel.sessionContext);
  }
}

function isPromptCell(cell: Cell): boolean {
  return cell.model.type === 'code' && isPrompt(cell.model.sharedModel.getSource());
}

function canRunWithConfig(cell: Cell | null): boolean {
  return cell?.model.type === 'code' && canNameConfig(cell.model.sharedModel.getSource());
}

/** Make toolbars update their buttons when the active cell or its magic line changes. */
function followActiveCell(app: JupyterFrontEnd, tracker: INotebookTracker): void {
  let followed: ICellModel | null = null;
  let state = '';
  const update = (): void => {
    const source = followed?.sharedModel.getSource() ?? '';
    const now = `${followed?.type ?? ''} ${isPrompt(source)} ${canNameConfig(source)}`;
    if (now !== state) {
      state = now;
      app.commands.notifyCommandChanged(CommandIDs.turnIntoPrompt);
      app.commands.notifyCommandChanged(CommandIDs.runWithConfig);
    }
  };
  const follow = (): void => {
    followed?.contentChanged.disconnect(update);
    followed = tracker.activeCell?.model ?? null;
    followed?.contentChanged.connect(update);
    update();
  };
  tracker.activeCellChanged.connect(follow);
  tracker.currentChanged.connect(() => {
    app.commands.notifyCommandChanged(CommandIDs.insertCell);
    app.commands.notifyCommandChanged(CommandIDs.reloadPanel);
    follow();
  });
}
