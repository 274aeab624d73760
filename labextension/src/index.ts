import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import {
  EditorExtensionRegistry,
  IEditorExtensionRegistry,
  IEditorLanguageRegistry
} from '@jupyterlab/codemirror';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';

import { ActiveConfigs } from './active-configs';
import { addCommands, CommandIDs } from './commands';
import { type IPanelOptions, PANEL_CODE } from './kernel-panel';
import { promptCell } from './prompt-cell';
import { RESPONSE_MIME } from './response/document';
import { ResponseViewer } from './response/viewer';
import { SidePanel } from './side-panel';
import { StatusItem } from './status-item';

const PANEL_ID = 'azml-magics:panel';

const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: PANEL_ID,
  description: 'The Azure ML side panel, its commands and the status bar item.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ILabShell, ILayoutRestorer, ISettingRegistry, IStatusBar],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    statusBar: IStatusBar | null
  ) => {
    const panel = new SidePanel(tracker, panelOptions(app, settings));
    if (!labShell) {
      panel.title.label = 'Azure ML'; // Notebook 7 lists side panels by their labels
    }
    app.shell.add(panel, 'right', { rank: 700, type: 'Azure ML' });
    restorer?.add(panel, panel.id);
    addCommands(app, tracker, panel);
    for (const command of Object.values(CommandIDs)) {
      palette?.addItem({ command, category: 'Azure ML' });
    }
    const configs = new ActiveConfigs(tracker);
    panel.loaded.connect((_, kernel) => {
      configs.trackPanel(kernel);
    });
    statusBar?.registerStatusItem('azml-magics:active-config', {
      item: new StatusItem(configs, () => void app.commands.execute(CommandIDs.openPanel)),
      align: 'left',
      rank: 900,
      isActive: () => configs.current !== null,
      activeStateChanged: configs.changed
    });
  }
};

/** A function that reads the panel's settings, so that a change applies the next time the panel is loaded. */
function panelOptions(
  app: JupyterFrontEnd,
  registry: ISettingRegistry | null
): () => Promise<IPanelOptions> {
  return async () => {
    // Not earlier: Notebook 7's shortcuts fail if settings are loaded before its own.
    await app.restored;
    const settings = await registry?.load(PANEL_ID);
    return {
      code: (settings?.get('code').composite as string | undefined) || PANEL_CODE,
      subshell: (settings?.get('subshell').composite as boolean | undefined) ?? true
    };
  };
}

const promptCellPlugin: JupyterFrontEndPlugin<void> = {
  id: 'azml-magics:prompt-cell',
  description: 'Shows %%azureml cells as prompts: Markdown with marked variables.',
  autoStart: true,
  requires: [IEditorExtensionRegistry, IEditorLanguageRegistry],
  activate: (
    _: JupyterFrontEnd,
    extensions: IEditorExtensionRegistry,
    languages: IEditorLanguageRegistry
  ) => {
    // JupyterLab's own Markdown support, so that it is not bundled here.
    const markdown = async () =>
      (await languages.getLanguage('text/x-ipythongfm'))?.support ?? null;
    extensions.addExtension({
      name: 'azml-magics:prompt-cell',
      factory: ({ model }) =>
        // File editors and Markdown cells use the same registry.
        (model as { type?: string }).type === 'code'
          ? EditorExtensionRegistry.createImmutableExtension(promptCell(markdown))
          : null
    });
  }
};

const viewerPlugin: JupyterFrontEndPlugin<void> = {
  id: 'azml-magics:response-viewer',
  description: `Renders ${RESPONSE_MIME}.`,
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (_: JupyterFrontEnd, rendermime: IRenderMimeRegistry) => {
    // Safe: it renders text as text, and Markdown as untrusted. The rank comes before that of text/html, which is 50.
    const rank = 10;
    rendermime.addFactory(
      {
        safe: true,
        mimeTypes: [RESPONSE_MIME],
        createRenderer: options => new ResponseViewer(options)
      },
      rank
    );
  }
};

export default [panelPlugin, promptCellPlugin, viewerPlugin];
