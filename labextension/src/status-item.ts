import { Widget } from '@lumino/widgets';

import { type ActiveConfigs } from './active-configs';

/** The active config in the status bar; a click opens the panel. */
export class StatusItem extends Widget {
  constructor(
    private readonly configs: ActiveConfigs,
    open: () => void
  ) {
    super({ node: document.createElement('button') });
    this.addClass('azml-StatusItem');
    this.addClass('jp-StatusBar-TextItem');
    this.node.addEventListener('click', open);
    configs.changed.connect(this.draw, this);
    this.draw();
  }

  private draw(): void {
    const { current } = this.configs;
    this.node.textContent = `Azure ML: ${current === '' ? 'no config' : (current ?? '')}`;
    this.node.title = 'The config that %%azureml cells use. Click to open the Azure ML panel.';
  }
}
