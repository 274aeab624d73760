import { MimeModel, RenderedMarkdown } from '@jupyterlab/rendermime';
import { type IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Panel, Widget } from '@lumino/widgets';

import { answerBody, LONGEST_MARKDOWN, plainText } from './answer';
import { codeBody, requestBody, timingBody, usageBody } from './details';
import { type IAnswer, type ISideBySide, readDetails, readDocument } from './document';
import { paragraph } from './elements';
import { SideBySideTable } from './side-by-side';
import { summaryOf } from './summary';
import { type ITab, Tabs } from './tabs';

/** What renders text as Markdown: JupyterLab's own renderer, which sanitises. */
export type Markdown = (text: string) => Promise<Widget>;

/**
 * An answer, or several side by side, of a live or a saved notebook: no kernel is needed. What
 * cannot be read is shown as JupyterLab would show it without this extension, and said in words.
 */
export class ResponseViewer extends Panel implements IRenderMime.IRenderer {
  constructor(private readonly options: IRenderMime.IRendererOptions) {
    super();
    this.addClass('azml-Response');
  }

  /** Show the model, in the place of what was shown. */
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
    if (document.kind === 'answer') {
      return this.answer(document, model);
    }
    if (document.kind === 'side-by-side') {
      return this.sideBySide(document, model);
    }
    const panel = new Panel();
    panel.addWidget(await this.plain(model));
    panel.addWidget(new Widget({ node: paragraph(document.why, 'azml-Response-note') }));
    return panel;
  }

  private answer(document: IAnswer, model: IRenderMime.IMimeModel): Widget {
    const details = readDetails(model.metadata);
    const { call } = details;
    const shown = model.data['text/markdown'];
    const markdown = typeof shown === 'string' ? shown : null;
    const tabs: (ITab | null)[] = [
      { name: 'Answer', body: () => answerBody(document, markdown, this.markdown) },
      call && { name: 'Request', body: () => requestBody(call, this.markdown) },
      { name: 'Usage', body: () => Promise.resolve(usageBody(document, details)) },
      { name: 'Timing', body: () => Promise.resolve(timingBody(document, details)) },
      call && { name: 'Code', body: () => codeBody(call, this.markdown) }
    ];
    return new Tabs(
      tabs.filter(tab => tab !== null),
      summaryOf(document, details)
    );
  }

  private sideBySide(document: ISideBySide, model: IRenderMime.IMimeModel): Widget {
    const { latencies } = readDetails(model.metadata);
    return new SideBySideTable(document, latencies, model.data['text/html']);
  }

  /** The output by its other mime types, as where this extension is missing. */
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
    // Never trusted, also in a trusted notebook: the text is a model's.
    await renderer.renderModel(new MimeModel({ data: { [mimeType]: text }, trusted: false }));
    return renderer;
  };
}
