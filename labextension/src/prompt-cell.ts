/** %%azureml cells in the editor: the body is highlighted as Markdown, and variables are marked. */

import { type LanguageSupport } from '@codemirror/language';
import {
  Compartment,
  type Extension,
  Prec,
  type Range,
  RangeSet,
  type Text
} from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  type EditorView,
  ViewPlugin,
  type ViewUpdate
} from '@codemirror/view';

import { hasVariables, isMagicLine } from './cell-source';
import { variablesIn } from './variables';

const magicLine = Decoration.line({ class: 'azml-PromptCell-magic' });
const bodyLine = Decoration.line({ class: 'azml-PromptCell-body' });
const variable = Decoration.mark({ class: 'azml-PromptCell-variable' });

/** The number of the magic line, counted from 1; 0 if the cell is not a %%azureml cell. */
export function magicLineNumber(doc: Text): number {
  for (let number = 1; number <= doc.lines; number++) {
    const { text } = doc.line(number);
    if (text.trim() !== '') {
      return isMagicLine(text) ? number : 0;
    }
  }
  return 0;
}

/** The decorations of the lines between two positions. */
export function decorationsIn(doc: Text, from: number, to: number): Range<Decoration>[] {
  const first = magicLineNumber(doc);
  const found: Range<Decoration>[] = [];
  if (first === 0) {
    return found;
  }
  const marksVariables = hasVariables(doc.line(first).text);
  for (let position = from; position <= to;) {
    const line = doc.lineAt(position);
    if (line.number === first) {
      found.push(magicLine.range(line.from));
    } else if (line.number > first) {
      found.push(bodyLine.range(line.from));
      for (const { start, end } of marksVariables ? variablesIn(line.text) : []) {
        found.push(variable.range(line.from + start, line.from + end));
      }
    }
    position = line.to + 1;
  }
  return found;
}

function visibleDecorations(view: EditorView): DecorationSet {
  const { doc } = view.state;
  return RangeSet.of(
    view.visibleRanges.flatMap(({ from, to }) => decorationsIn(doc, from, to)),
    true
  );
}

const marks = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = visibleDecorations(view);
    }
    update(update: ViewUpdate): void {
      if (update.docChanged || update.viewportChanged) {
        this.decorations = visibleDecorations(update.view);
      }
    }
  },
  { decorations: plugin => plugin.decorations }
);

/**
 * The editor extension of code cells. In a %%azureml cell, Markdown replaces the kernel's language: the
 * `language` facet uses the value with the highest precedence.
 */
export function promptCell(markdown: () => Promise<LanguageSupport | null>): Extension {
  const language = new Compartment();
  const switcher = ViewPlugin.fromClass(
    class {
      private isOn = false;
      private isDestroyed = false;
      constructor(view: EditorView) {
        this.follow(view);
      }
      update(update: ViewUpdate): void {
        if (update.docChanged) {
          this.follow(update.view);
        }
      }
      destroy(): void {
        this.isDestroyed = true;
      }
      private follow(view: EditorView): void {
        const isWanted = magicLineNumber(view.state.doc) > 0;
        if (isWanted === this.isOn) {
          return;
        }
        this.isOn = isWanted;
        // An editor cannot be changed during its update.
        void (isWanted ? markdown() : Promise.resolve(null)).then(support => {
          if (!this.isDestroyed && this.isOn === isWanted) {
            view.dispatch({ effects: language.reconfigure(support ?? []) });
          }
        });
      }
    }
  );
  // Marks of low precedence enclose those of tokens and matching brackets, which would split them otherwise.
  return [Prec.highest(language.of([])), Prec.lowest(marks), switcher];
}
