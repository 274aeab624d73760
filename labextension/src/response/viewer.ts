import { MimeModel, RenderedMarkdown } from '@jupyterlab/rendermime';
import { type IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Panel, Widget } from '@lumino/widgets';

import { responseBody, LONGEST_MARKDOWN, plainText } from './response-body';
import { codeBody, requestBody, timingBody, usageBody } from './details';
import {
  type IDetails,
  type IResponse,
  type ISideBySide,
  readDetails,
  readDocument
} from './document';
import { paragraph } from './elements';
import { SideBySideTable } from './side-by-side';
import { type ITab, Tabs } from './tabs';

/** Renders text as Markdown with JupyterLab's renderer, which sanitises it. */
export type Markdown = (text: string) => Promise<Widget>;

/**
 * Shows a response, or several side by side, without a kernel: saved notebooks have everything that is needed.
 * A document that cannot be read is shown as JupyterLab would show it without this extension, with the reason.
 */
export class ResponseViewer extends Panel implements IRenderMime.IRenderer {
  constructor(private readonly options: IRenderMime.IRendererOptions) {
    super();
    this.addClass('azml-Response');
  }

  /** Replace what is shown by the model. */
  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const document = readDocument(model.data[this.options.mimeType]);
    const body = await this.bodyOf(document, model);
    for (const widget of [...this.widgets]) {
      widget.dispose();
    }
    this.addWidget(body);
  }

  private async bodyOf(
    document: ReturnType<typeof readDocument>,
    model: IRenderMime.IMimeModel
  ): Promise<Widget> {
    if (document.kind === 'response') {
      return this.response(document, model);
    }
    if (document.kind === 'side-by-side') {
      return this.sideBySide(document, model);
    }
    const panel = new Panel();
    panel.addWidget(await this.plain(model));
    panel.addWidget(new Widget({ node: paragraph(document.reason, 'azml-Response-note') }));
    return panel;
  }

  private response(document: IResponse, model: IRenderMime.IMimeModel): Widget {
    const details = readDetails(model.metadata);
    const { call } = details;
    const saved = model.data['text/markdown'];
    const markdown = typeof saved === 'string' ? saved : null;
    const tabs: (ITab | false | null)[] = [
      { name: 'Response', body: () => responseBody(document, details, markdown, this.markdown) },
      call && { name: 'Request', body: () => requestBody(call, this.markdown) },
      { name: 'Usage', body: () => Promise.resolve(usageBody(document, details)) },
      hasTiming(details) && {
        name: 'Timing',
        body: () => Promise.resolve(timingBody(document, details))
      },
      call && { name: 'Code', body: () => codeBody(call, this.markdown) }
    ];
    return new Tabs(
      tabs.filter(tab => tab !== null && tab !== false),
      document.config || document.model
    );
  }

  private sideBySide(document: ISideBySide, model: IRenderMime.IMimeModel): Widget {
    const { latencies } = readDetails(model.metadata);
    const table = new SideBySideTable(document, latencies, model.data['text/html']);
    if (document.sections.length === 0) {
      return table;
    }
    const panel = new Panel();
    panel.addWidget(table);
    for (const section of document.sections) {
      panel.addWidget(new SideBySideTable(section, [], null));
    }
    return panel;
  }

  /** The output by its other mime types, as without this extension. */
  private async plain(model: IRenderMime.IMimeModel): Promise<Widget> {
    const { 'text/markdown': markdown, 'text/plain': text } = model.data;
    if (typeof markdown === 'string' && markdown.length <= LONGEST_MARKDOWN) {
      return this.markdown(markdown);
    }
    const whole = [text, markdown].find(candidate => typeof candidate === 'string');
    return new Widget({ node: plainText(whole ?? 'This output has no text.') });
  }

  private readonly markdown: Markdown = async text => {
    const mimeType = 'text/markdown';
    const renderer = new RenderedMarkdown({ ...this.options, mimeType });
    // Never trusted, not even in a trusted notebook: the text comes from a model.
    await renderer.renderModel(new MimeModel({ data: { [mimeType]: text }, trusted: false }));
    return renderer;
  };
}

/** Whether times or an id were saved (%config AzureMLMagics.save_details). */
function hasTiming(details: IDetails): boolean {
  return details.latency !== null || details.timeToFirstToken !== null || details.requestId !== '';
}
