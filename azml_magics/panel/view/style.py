"""The panel's style sheet. A constant text; the colours are the frontend's own."""

from __future__ import annotations

from typing import Final

# A description stands before its field if there is room, and above it if there is not (a side panel of 280 px). The top
# row sticks to the top of what scrolls, so no box around it may hide what overflows ("clip" makes no box that scrolls).
# The columns of a comparison share their rows (subgrid), so that their texts begin at the same height.
# Status colours are mixed with the text colour: unmixed, the frontends' own ones have too little contrast.
STYLE: Final = """<style>
.azml-panel { width: 100%; max-width: 1200px; padding: 2px; box-sizing: border-box; overflow: clip;
  container: azml / inline-size; }
.azml-panel :is(.azml-settings, .azml-work) { container: azml / inline-size; }
.azml-panel .azml-hidden { display: none !important; }
.azml-panel .widget-box { overflow: clip; min-width: 0; }
.azml-panel .azml-columns { flex-flow: row wrap; align-items: flex-start; gap: 4px 16px; margin-top: 4px; }
.azml-panel .azml-columns > .azml-settings { flex: 2 1 290px; }
.azml-panel .azml-columns > .azml-work { flex: 3 1 380px; }
.azml-panel .azml-columns > .widget-vbox { max-width: 100%; min-width: min(100%, 240px); }
.azml-panel .widget-inline-hbox { width: auto; max-width: 100%; min-width: 0; height: auto; flex-wrap: wrap;
  align-items: center; margin: 2px; }
.azml-panel .widget-inline-hbox > .widget-label { margin: 0; width: 172px; flex: 0 0 auto; text-align: left;
  overflow: hidden; text-overflow: ellipsis; }
.azml-panel .azml-work .widget-inline-hbox > .widget-label { width: 130px; }
.azml-panel .widget-checkbox, .azml-panel .widget-label-basic { height: auto; white-space: normal; }
.azml-panel .widget-inline-hbox > :not(.widget-label) { flex: 1 1 140px; min-width: 0; }
.azml-panel select { appearance: auto; background-image: none; }
.azml-panel .widget-inline-hbox > select { height: var(--jp-widgets-inline-height, 28px); }
.azml-panel .widget-inline-hbox > select[size] { height: auto; }
.azml-panel .widget-textarea { align-items: flex-start; }
.azml-panel textarea { font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 13px);
  line-height: 1.4; min-height: 2.8em; resize: vertical; }
.azml-panel ::placeholder { color: var(--jp-ui-font-color2, #666); opacity: 1; }
.azml-panel textarea:disabled { opacity: 1; color: var(--jp-ui-font-color1, #333); field-sizing: content;
  max-height: 12em; background: var(--jp-layout-color2, #f3f3f3); }
.azml-panel .azml-head { position: sticky; top: 0; z-index: 5; background: var(--jp-layout-color1, #fff);
  border-bottom: 1px solid var(--jp-border-color2, #ddd); padding-bottom: 2px; }
.azml-panel .azml-head .azml-line { max-height: 7em; overflow-y: auto; }
.azml-panel .azml-top > .widget-dropdown { flex: 1 1 125px; max-width: 420px; flex-wrap: nowrap; }
.azml-panel .azml-top > .widget-dropdown > select { flex: 1 1 60px; }
.azml-panel .azml-top > .widget-dropdown > .widget-label { width: auto; margin-right: 8px; }
.azml-panel .azml-top > .azml-run { min-width: 76px; margin-left: auto; }
.azml-panel .azml-form { border: 1px solid var(--jp-border-color1, #bbb); padding: 4px; margin: 2px; }
.azml-panel .azml-heading { height: auto; line-height: 1.4; white-space: normal; margin: 6px 2px 2px;
  font-weight: 600; }
.azml-panel .azml-buttons { flex-flow: row wrap; align-items: center; }
.azml-panel .azml-buttons > .jupyter-button { width: auto; flex: 0 0 auto; padding: 0 9px; margin: 2px; }
.azml-panel .azml-buttons > .widget-inline-hbox { flex: 1 1 170px; }
.azml-panel .azml-row { position: relative; align-items: flex-start; flex-flow: row nowrap; }
.azml-panel .azml-row > .widget-inline-hbox { flex: 1 1 auto; }
.azml-panel .azml-row > .azml-value { flex: 0 0 84px; }
.azml-panel .azml-row > .azml-value > input { flex: 1 1 40px; width: 40px; text-align: right; }
.azml-panel .azml-row > .azml-reset { flex: 0 0 26px; width: 26px; padding: 0; margin: 2px; }
.azml-panel .azml-row .slider-container { margin: 0 10px 0 8px; flex: 1 1 70px !important; }
.azml-panel .azml-row > .azml-tags { flex: 1 1 auto; flex-flow: row wrap; }
.azml-panel .azml-tags > .widget-text { flex: 1 0 calc(100% - 4px); }
.azml-panel .azml-tags > .jupyter-widget-tagsinput { flex: 1 1 auto; width: auto; max-width: 100%; min-width: 0;
  margin: 0 0 2px 174px; }
.azml-panel .jupyter-widget-taginput { display: none !important; }
.azml-panel .jupyter-widget-tag { max-width: calc(100% - 8px); height: auto; margin: 2px; white-space: normal;
  overflow-wrap: anywhere; }
.azml-panel .azml-missing > input { border-left: 3px solid var(--jp-warn-color1, #b26a00); }
.azml-panel .noUi-handle { border: 1px solid var(--jp-border-color1, #999); }
.azml-panel .azml-default .slider-container { opacity: .45; }
.azml-panel .widget-inline-hbox.azml-short > .widget-label { width: auto; margin-right: 6px; }
.azml-panel .azml-line { height: auto; line-height: 1.4; white-space: normal; overflow-wrap: anywhere;
  padding: 1px 2px; margin: 2px; flex: 0 0 auto; }
.azml-panel .azml-next { width: auto; align-self: flex-start; padding: 0 9px; margin: 2px; flex: 0 0 auto; }
.azml-panel .azml-several { white-space: pre-line; }
.azml-panel .azml-settings .azml-line { margin-left: 174px; }
.azml-panel .azml-settings .azml-buttons ~ .azml-line { margin-left: 2px; }
.azml-panel .azml-plain { color: var(--jp-ui-font-color2, #666); }
.azml-panel .azml-bad { color: color-mix(in srgb, var(--jp-error-color1, #b00020) 80%,
  var(--jp-ui-font-color0, #000)); }
.azml-panel .azml-good { color: color-mix(in srgb, var(--jp-success-color1, #2e7d32) 75%,
  var(--jp-ui-font-color0, #000)); }
.azml-panel .azml-mark { color: color-mix(in srgb, var(--jp-warn-color1, #b26a00) 70%,
  var(--jp-ui-font-color0, #000)); }
.azml-panel .azml-response, .azml-panel .azml-page { max-height: 460px; min-height: 90px; overflow: auto; }
.azml-panel .azml-response .widget-output { flex: 0 0 auto; overflow: visible; max-width: 100%; }
.azml-panel .azml-attachment-row { align-items: center; }
.azml-panel .azml-attachment-row > .azml-attachment { flex: 1 1 auto; min-width: 0; }
.azml-panel .azml-preview { width: auto; flex: 0 0 auto; margin: 2px; }
.azml-panel .azml-preview img { display: block; width: 48px; height: 48px; object-fit: contain; margin: 0;
  border: 1px solid var(--jp-border-color2, #ddd); }
.azml-panel.azml-drops { outline: 2px dashed var(--jp-brand-color1, #1976d2); outline-offset: -2px; }
.azml-panel .azml-turns { max-height: 560px; overflow: auto; margin: 4px 0; flex: 0 0 auto;
  border: 1px solid var(--jp-border-color2, #ddd); }
.azml-panel .azml-turn { flex: 0 0 auto; padding: 2px 6px; border-bottom: 1px solid var(--jp-border-color2, #ddd); }
.azml-panel .azml-turn-head { flex-flow: row wrap; align-items: center; }
.azml-panel .azml-turn-head > .azml-speaker { flex: 1 1 auto; }
.azml-panel .azml-turn .azml-buttons > .jupyter-button, .azml-panel .azml-switch > .jupyter-button { width: auto;
  height: 22px; line-height: 20px; padding: 0 6px; margin: 1px; font-size: var(--jp-ui-font-size0, 11px); }
.azml-panel .azml-switch { align-items: center; flex: 0 0 auto; }
.azml-panel .azml-turn-text { white-space: pre-wrap; color: var(--jp-ui-font-color0, #000); }
.azml-panel .azml-turn-answer { flex: 0 0 auto; overflow: visible; max-width: 100%; }
.azml-panel .azml-turn-answer :is(p, li, h1, h2, h3, h4) { overflow-wrap: anywhere; }
.azml-panel .azml-estimate { font-size: 0.9em; }
.azml-panel .azml-head .azml-estimate { margin-top: 0; padding-top: 0; }
.azml-panel .azml-columns:has(.azml-compared) > .azml-settings { flex: 1 1 240px; }
.azml-panel .azml-columns:has(.azml-compared) > .azml-work { flex: 4 1 480px; }
.azml-panel .azml-compared { display: grid; grid-auto-flow: column; grid-template-rows: auto 1fr auto;
  grid-auto-columns: minmax(min(250px, 100%), 1fr); overflow: auto; max-height: 560px;
  border: 1px solid var(--jp-border-color2, #ddd); scroll-snap-type: x proximity; }
.azml-panel .azml-compared > .azml-column { display: grid; grid-row: span 3; grid-template-rows: subgrid;
  grid-template-columns: 100%; overflow: visible;
  scroll-snap-align: start; border-left: 1px solid var(--jp-border-color2, #ddd); }
.azml-panel .azml-compared > .azml-column:first-child { border-left: 0; }
.azml-panel .azml-column > .azml-column-head { position: sticky; top: 0; z-index: 2; width: auto; height: auto;
  min-height: 28px; margin: 0; line-height: 1.3; padding: 5px 8px; white-space: normal; overflow-wrap: anywhere;
  text-align: left; font-weight: 600; background: var(--jp-layout-color2, #eee); flex: 0 0 auto;
  color: var(--jp-ui-font-color1, #333); box-shadow: none; border-bottom: 2px solid transparent; }
.azml-panel .azml-column > .azml-column-head.mod-active { border-bottom-color: var(--jp-brand-color1, #1976d2); }
.azml-panel .azml-column > .azml-column-head.mod-active::before { content: "\\2713  "; }
.azml-panel .azml-column > .widget-vbox:not(.azml-column-foot) { flex: 1 0 auto; min-height: 60px; }
.azml-panel .azml-column .widget-output { flex: 0 0 auto; overflow: visible; max-width: 100%; }
.azml-panel .azml-column :is(p, li, h1, h2, h3, h4) { overflow-wrap: anywhere; }
.azml-panel .azml-column > .azml-column-foot { position: sticky; bottom: 0; z-index: 1; flex: 0 0 auto;
  background: var(--jp-layout-color1, #fff); border-top: 1px solid var(--jp-border-color2, #ddd); }
.azml-panel .azml-facts { color: var(--jp-ui-font-color2, #666); font-size: 0.9em; }
.azml-panel .azml-buttons > .azml-icon { min-width: 28px; padding: 0 6px; }
.azml-panel .azml-words { white-space: pre-wrap; overflow-wrap: anywhere; }
.azml-panel .azml-words :is(ins, del) { color: var(--jp-ui-font-color0, #000); padding: 0 1px; }
.azml-panel .azml-words ins { text-decoration: underline; font-weight: 600;
  background: color-mix(in srgb, var(--jp-success-color1, #2e7d32) 20%, transparent); }
.azml-panel .azml-words del { text-decoration: line-through;
  background: color-mix(in srgb, var(--jp-error-color1, #b00020) 18%, transparent); }
.azml-panel .azml-words :is(ins, del)::before, .azml-panel .azml-words :is(ins, del)::after { position: absolute;
  width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.azml-panel .azml-words ins::before { content: " [added: "; }
.azml-panel .azml-words del::before { content: " [missing: "; }
.azml-panel .azml-words :is(ins, del)::after { content: "] "; }
.azml-panel .azml-options .widget-inline-hbox > .widget-label { width: 156px; }
.azml-panel .azml-buttons > .azml-count { flex: 0 0 auto; width: auto; margin: 2px 4px; }
.azml-panel .azml-cases { overflow-x: auto; max-height: 420px; overflow-y: auto; margin: 2px; }
.azml-panel .azml-cases table { border-collapse: collapse; width: 100%; line-height: 1.4; }
.azml-panel .azml-cases :is(th, td) { text-align: left; vertical-align: top; padding: 2px 6px; max-width: 320px;
  min-width: 40px; overflow-wrap: anywhere; border-bottom: 1px solid var(--jp-border-color2, #ddd); }
.azml-panel .azml-cases thead th { position: sticky; top: 0; background: var(--jp-layout-color1, #fff);
  overflow-wrap: normal; }
.azml-panel .azml-cases tr[data-azml-case] { cursor: pointer; }
.azml-panel .azml-cases tr.azml-selected { background: var(--jp-layout-color2, #eee); }
.azml-panel .azml-cases button { font: inherit; color: inherit; background: none; border: 1px solid transparent;
  min-width: 28px; cursor: pointer; padding: 0 4px; }
.azml-panel .azml-cases button[aria-current] { border-color: var(--jp-brand-color1, #1976d2); font-weight: 600; }
.azml-panel .azml-versions > select { width: 100%; }
.azml-panel .azml-diff p { margin: 8px 0 2px; }
.azml-panel .azml-diff :is(del, ins, span) { display: block; padding: 0 4px; text-decoration: none;
  color: var(--jp-ui-font-color0, #000); font-family: var(--jp-code-font-family, monospace);
  font-size: var(--jp-code-font-size, 13px); white-space: pre-wrap; overflow-wrap: anywhere; }
.azml-panel .azml-diff :is(del, ins) mark { color: inherit; background: none; font-weight: 700;
  text-decoration: underline; }
.azml-panel .azml-diff del { background: color-mix(in srgb, var(--jp-error-color1, #b00020) 18%, transparent); }
.azml-panel .azml-diff ins { background: color-mix(in srgb, var(--jp-success-color1, #2e7d32) 20%, transparent); }
.azml-panel .azml-found { max-height: 220px; min-height: 0; }
.azml-panel .azml-found table { width: 100%; margin: 0; table-layout: auto;
  font-size: var(--jp-ui-font-size1, 13px); }
.azml-panel .azml-found :is(td, th) { padding: 2px 6px; max-width: none; white-space: normal; }
.azml-panel .azml-found :is(td, th):not(:nth-child(3)) { overflow-wrap: anywhere; }
.azml-panel .azml-page pre { margin: 0; }
.azml-panel .azml-response :is(p, li, h1, h2, h3, h4) { overflow-wrap: anywhere; }
.azml-panel .jp-OutputArea-output :is(pre, pre code) { white-space: pre-wrap; word-break: normal;
  overflow-wrap: anywhere; }
.azml-panel .azml-page .jp-RenderedMarkdown { padding: 0; }
.azml-panel .jp-OutputArea-output th { text-align: left; }
.azml-panel .jp-OutputArea-prompt, .azml-panel .jp-OutputPrompt { display: none; }
.azml-panel .jp-OutputArea-output { padding: 0 4px; max-width: 100%; overflow-x: auto; }
.azml-panel .jupyter-widget-Accordion-child { margin: 2px 0 4px; }
.azml-panel .jupyter-widget-Collapse-header { padding: 6px 10px; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.azml-panel .jupyter-widget-Collapse-contents { padding: 6px 8px; }
.azml-panel .jupyter-widget-tab { margin-top: 6px; }
.azml-panel .jupyter-widget-tab > .lm-TabBar { min-height: 0; height: auto; overflow: visible; }
.azml-panel .jupyter-widget-tab > .lm-TabBar .lm-TabBar-content { flex-wrap: wrap; }
.azml-panel .jupyter-widget-tab > .lm-TabBar .lm-TabBar-tab { flex: 0 0 auto; min-width: 0; padding: 0 9px; }
.azml-panel .jupyter-widget-TabPanel-tabContents { padding: 6px; overflow: auto; }
.azml-panel :is(button, input, select, textarea, [role="tab"], [role="slider"], [role="button"]):focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: 0; }
.azml-panel .azml-script { height: 0; overflow: hidden; }
@container azml (max-width: 440px) {
  .azml-panel .azml-top > .jupyter-button:not(.azml-run) > i { display: none; }
  .azml-panel .azml-top > .jupyter-button { padding: 0 8px; }
  .azml-panel .azml-top > .azml-run { margin-left: 2px; }
  .azml-panel .azml-top > .azml-mark { order: 1; flex: 0 1 auto; }
  .azml-panel .widget-inline-hbox:not(.azml-short, .azml-formatter, .azml-top > *) > .widget-label { width: 100%; }
  .azml-panel .azml-formatter > .widget-label { width: auto; margin-right: 8px; }
  .azml-panel .azml-found :is(td, th):nth-child(4) { display: none; }
  .azml-panel .azml-buttons:not(.azml-top) { align-items: flex-end; }
  .azml-panel .azml-row { align-items: flex-end; }
  .azml-panel .azml-row > .azml-reset { position: absolute; top: 0; right: 0; }
  .azml-panel .azml-row .slider-container { margin: 12px 10px 12px 8px; }
  .azml-panel .azml-tags > .jupyter-widget-tagsinput, .azml-panel .azml-settings .azml-line { margin-left: 2px; }
}
</style>"""
