import { LabIcon } from '@jupyterlab/ui-components';

/** Braces around a spark: the icon of Azure ML in toolbars and the sidebar. */
export const azmlIcon = new LabIcon({
  name: 'azml-magics:icon',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <path class="jp-icon3" fill="#616161" d="M8 3v2H7a1 1 0 0 0-1 1v3.5c0 1.1-.5 2-1.3 2.5.8.5 1.3 1.4 1.3 2.5V18a1 1 0 0 0 1 1h1v2H7a3 3 0 0 1-3-3v-3.5A1.5 1.5 0 0 0 2.5 13v-2A1.5 1.5 0 0 0 4 9.5V6a3 3 0 0 1 3-3zM16 3v2h1a1 1 0 0 1 1 1v3.5c0 1.1.5 2 1.3 2.5-.8.5-1.3 1.4-1.3 2.5V18a1 1 0 0 1-1 1h-1v2h1a3 3 0 0 0 3-3v-3.5a1.5 1.5 0 0 1 1.5-1.5v-2A1.5 1.5 0 0 1 20 9.5V6a3 3 0 0 0-3-3z"/>
  <path class="jp-icon3" fill="#616161" d="M12 7l1.3 3.7L17 12l-3.7 1.3L12 17l-1.3-3.7L7 12l3.7-1.3z"/>
</svg>`
});

/** A speech bubble with a plus, for a new prompt. */
export const promptIcon = new LabIcon({
  name: 'azml-magics:prompt',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <path class="jp-icon3" fill="#616161" d="M4 3h16a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-8l-5 4v-4H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zm0 2v11h5v2l2.5-2H20V5zm7 2h2v2.5h2.5v2H13V14h-2v-2.5H8.5v-2H11z"/>
</svg>`
});

/** A triangle and the lines of a list, for running with another config. */
export const runWithIcon = new LabIcon({
  name: 'azml-magics:run-with',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <path class="jp-icon3" fill="#616161" d="M3 4l10 8-10 8zM15 5h7v2h-7zM16 11h6v2h-6zM15 17h7v2h-7z"/>
</svg>`
});
