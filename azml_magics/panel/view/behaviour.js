// The panel's keys, names for screen readers and focus. `element` is the output that runs this script.
(() => {
  const FOLD = '.jupyter-widget-Collapse-header';
  const isShown = node => node?.isConnected && node.getClientRects().length > 0;
  const isReady = node => isShown(node) && !node.disabled;

  // ---- clicks that send wait for the kernel to have what was typed before

  // Whether the kernel has the text that was typed last.
  const askKernel = panel => {
    const asked = panel.querySelector('.azml-asked input');
    const answered = panel.querySelector('.azml-answered');
    if (!asked || !answered) {
      return Promise.resolve(true);
    }
    const token = `${Date.now()}-${Math.random()}`;
    const texts = panel.azmlTyped?.isConnected ? [panel.azmlTyped.value] : [];
    return new Promise(resolve => {
      new MutationObserver((_, observer) => {
        if (answered.textContent.includes(token)) {
          observer.disconnect();
          resolve(!answered.textContent.includes('missing'));
        }
      }).observe(answered, { childList: true, characterData: true, subtree: true });
      asked.value = JSON.stringify([token, ...texts]);
      asked.dispatchEvent(new Event('input', { bubbles: true }));
    });
  };

  // The kernel may handle messages in two threads at first, so that what was sent later is handled first.
  const whenKernelHasAll = async panel => {
    for (let triesLeft = 100; triesLeft && !(await askKernel(panel)); triesLeft--) {
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  };

  const clickWhenReady = async (panel, button) => {
    if (!isReady(button) || panel.dataset.azmlSending) {
      return;
    }
    panel.dataset.azmlSending = 'true';
    await whenKernelHasAll(panel);
    delete panel.dataset.azmlSending;
    button.click();
  };

  const onClick = event => {
    const button = event.target.closest?.('.azml-panel .azml-send');
    if (button && event.isTrusted) {
      event.preventDefault();
      event.stopImmediatePropagation();
      void clickWhenReady(button.closest('.azml-panel'), button);
    }
  };

  // ---- a click on a row of the test cases selects it

  const onCaseClick = event => {
    const row = event.target.closest?.('.azml-cases [data-azml-case]');
    const panel = row?.closest('.azml-panel');
    const field = panel?.querySelector('.azml-case-number input');
    if (field && !row.querySelector('button[aria-current]')) {
      panel.azmlCase = row.dataset.azmlCase; // the table is drawn anew: its button gets the focus
      field.value = row.dataset.azmlCase;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      field.dispatchEvent(new Event('change', { bubbles: true }));
    }
  };

  const focusCase = panel => {
    const button = panel.querySelector(`[data-azml-case="${panel.azmlCase}"] button[aria-current]`);
    if (button) {
      panel.azmlCase = null;
      button.focus({ preventScroll: true });
    }
  };

  // ---- keys

  const onKey = event => {
    const panel = event.target.closest?.('.azml-panel');
    if (!panel || event.isComposing) {
      return;
    }
    const take = () => {
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      take();
      event.target.dispatchEvent(new Event('change', { bubbles: true })); // a field is read when it is left
      const form = event.target.closest('.azml-edit') ?? panel;
      void clickWhenReady(panel, form.querySelector('.azml-run-form, .azml-run'));
    } else if (event.key === 'Escape') {
      const button = [...panel.querySelectorAll('.azml-stop, .azml-cancel')].find(isReady);
      if (button) {
        take();
        button.click();
      }
    } else if ((event.key === 'Enter' || event.key === ' ') && event.target.matches(FOLD)) {
      take();
      event.target.click();
    }
  };

  // The notebook takes keys for its own after a slider or a list has had them: arrows, and letters that choose.
  const onOwnKey = event => {
    const isList = event.target.matches?.('.azml-panel select');
    const isArrow = event.key.startsWith('Arrow');
    const isLetter = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isList ? isArrow || isLetter : isArrow && event.target.matches?.('.azml-panel [role="slider"]')) {
      event.stopPropagation();
    }
  };

  // ---- files: dropped on the panel or pasted into it, they go where the picker puts them; large ones are not sent

  const holdsFiles = transfer => [...(transfer?.types ?? [])].includes('Files');

  // The picker's input is not part of the page: its button clicks it.
  const inputOf = button => {
    const click = HTMLInputElement.prototype.click;
    let input = null;
    HTMLInputElement.prototype.click = function () {
      input = this;
    };
    try {
      button.click();
    } finally {
      HTMLInputElement.prototype.click = click;
    }
    return input;
  };

  // A message that is too long would cut the connection to the kernel.
  const refuseLarge = (panel, files) => {
    const limit = Number(panel.querySelector('.azml-limit')?.textContent);
    const large = files.find(file => file.size > limit);
    const total = files.reduce((sum, file) => sum + file.size, 0);
    if (!limit || total <= limit) {
      return false;
    }
    const field = panel.querySelector('.azml-refused input');
    field.value = JSON.stringify([large?.name ?? `${files.length} files`, large?.size ?? total, Date.now()]);
    field.dispatchEvent(new Event('input', { bubbles: true }));
    return true;
  };

  const watchPicker = (panel, button) => {
    const input = (button.azmlInput ??= inputOf(button));
    if (input && !input.azmlIsWatched) {
      input.azmlIsWatched = true;
      const onPick = event => {
        if (refuseLarge(panel, [...input.files])) {
          event.stopImmediatePropagation();
          input.value = '';
        }
      };
      input.addEventListener('change', onPick, true);
    }
  };

  const attach = (panel, files, triesLeft = 200) => {
    const button = [...panel.querySelectorAll('.azml-upload')].find(isShown);
    if (button?.azmlInput) {
      const transfer = new DataTransfer();
      files.forEach(file => transfer.items.add(file));
      button.azmlInput.files = transfer.files;
      button.azmlInput.dispatchEvent(new Event('change'));
    } else if (triesLeft) {
      if (triesLeft === 200) {
        [...panel.querySelectorAll(FOLD)].find(header => /^Attachments/.test(header.textContent.trim()))?.click();
      }
      setTimeout(attach, 50, panel, files, triesLeft - 1); // the kernel builds the section when it is first opened
    }
  };

  const onDrag = event => {
    const panel = event.target.closest?.('.azml-panel');
    document.querySelectorAll('.azml-drops').forEach(each => each !== panel && each.classList.remove('azml-drops'));
    if (panel && holdsFiles(event.dataTransfer)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      panel.classList.toggle('azml-drops', event.type === 'dragover');
      if (event.type === 'drop') {
        attach(panel, [...event.dataTransfer.files]);
      }
    }
  };

  const onPaste = event => {
    const panel = event.target.closest?.('.azml-panel');
    const files = [...(event.clipboardData?.files ?? [])];
    if (panel && files.length) {
      event.preventDefault();
      event.stopImmediatePropagation();
      attach(panel, files);
    }
  };

  // once for all panels of the page, when everything above is there
  if (!window.azmlPanelKeys) {
    window.azmlPanelKeys = true;
    window.addEventListener('click', onClick, true);
    window.addEventListener('keydown', onKey, true);
    window.addEventListener('dragover', onDrag, true);
    window.addEventListener('dragend', onDrag, true);
    window.addEventListener('dragleave', onDrag, true);
    window.addEventListener('drop', onDrag, true);
    window.addEventListener('paste', onPaste, true);
  }

  // ---- names, roles and states, for what ipywidgets draws without them

  const set = (node, attributes) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (node.getAttribute(name) !== String(value)) {
        node.setAttribute(name, value);
      }
    }
  };

  // A box whose end is in sight keeps it in sight while its content grows.
  const keepAtEnd = box => {
    const before = box.azmlHeight ?? 0;
    if (box.scrollHeight !== before) {
      if (box.scrollTop + box.clientHeight >= before - 40) {
        box.scrollTop = box.scrollHeight;
      }
      box.azmlHeight = box.scrollHeight;
    }
  };

  const describe = panel => {
    set(panel, { role: 'group', 'aria-label': 'Azure ML panel' });
    for (const header of panel.querySelectorAll(FOLD)) {
      const isOpen = header.parentElement.classList.contains('jupyter-widget-Collapse-open');
      set(header, { role: 'button', tabindex: 0, 'aria-expanded': isOpen });
    }
    for (const slider of panel.querySelectorAll('[role="slider"]')) {
      const box = slider.closest('.widget-inline-hbox');
      set(slider, { 'aria-label': box?.querySelector('.widget-label')?.textContent ?? '' });
    }
    for (const field of panel.querySelectorAll(':is(input, select, textarea)[title]')) {
      if (!field.labels?.[0]?.textContent) {
        set(field, { 'aria-label': field.title }); // the field beside a slider has no other name
      }
    }
    for (const button of panel.querySelectorAll('button.azml-expands')) {
      set(button, { 'aria-expanded': button.classList.contains('mod-active') });
    }
    for (const button of panel.querySelectorAll('button.azml-icon[title]')) {
      set(button, { 'aria-label': button.title }); // its icon is a letter of a font
    }
    for (const button of panel.querySelectorAll('button.azml-toggles')) {
      set(button, { 'aria-pressed': button.classList.contains('mod-active') });
    }
    for (const line of panel.querySelectorAll('.azml-status')) {
      set(line, { role: 'status', 'aria-live': 'polite' });
    }
    for (const select of panel.querySelectorAll('.azml-versions select')) {
      set(select, { 'aria-label': 'Versions' });
    }
    for (const page of panel.querySelectorAll('.azml-case-answer')) {
      set(page, { tabindex: 0, role: 'region', 'aria-label': 'Answer to the case' });
    }
    for (const page of panel.querySelectorAll('.azml-cases')) {
      set(page, { role: 'region', 'aria-label': 'Test cases' });
    }
    for (const columns of panel.querySelectorAll('.azml-compared')) {
      set(columns, { tabindex: 0, role: 'region', 'aria-label': 'Responses side by side' }); // it scrolls
      for (const column of columns.children) {
        const label = column.querySelector('.azml-column-head')?.textContent ?? '';
        set(column, { role: 'group', 'aria-label': `Response of ${label}` });
      }
    }
    for (const page of panel.querySelectorAll('.azml-response, .azml-page:not(.azml-case-answer)')) {
      set(page, { tabindex: 0, role: 'region', 'aria-label': 'Result' }); // it scrolls
    }
    for (const button of panel.querySelectorAll('button[title]')) {
      if (!button.textContent.trim()) {
        set(button, { 'aria-label': button.title }); // its name would be the icon's character
      }
    }
    for (const button of panel.querySelectorAll('.azml-upload')) {
      watchPicker(panel, button);
    }
    for (const turns of panel.querySelectorAll('.azml-turns')) {
      set(turns, { tabindex: 0, role: 'region', 'aria-label': 'Turns of the conversation' }); // it scrolls
      keepAtEnd(turns);
    }
    for (const turn of panel.querySelectorAll('.azml-turn')) {
      set(turn, { role: 'article', 'aria-label': turn.querySelector('.azml-speaker')?.textContent ?? '' });
    }
    set(panel.querySelector('.azml-run') ?? panel, { 'aria-keyshortcuts': 'Control+Enter Meta+Enter' });
    set(panel.querySelector('.azml-stop') ?? panel, { 'aria-keyshortcuts': 'Escape' });
  };

  // ---- a kernel that was restarted or has ended leaves the panel as it was, without a life

  const DEAD =
    'The kernel was restarted or has ended, and this panel with it. Run %azureml panel for a new one. ' +
    'What was typed here can still be copied.';

  const sayIfDead = panel => {
    const isDead = panel.classList.contains('jupyter-widgets-disconnected');
    const line = panel.querySelector('.azml-dead');
    if (isDead && !line) {
      const made = document.createElement('div');
      made.className = 'azml-line azml-bad azml-dead';
      made.setAttribute('role', 'alert');
      made.textContent = DEAD;
      panel.querySelector('.azml-head')?.prepend(made);
    } else if (!isDead && line) {
      line.remove();
    }
  };

  // ---- focus: where it was, if the control that had it is hidden or disabled meanwhile; a control that is disabled while
  // something runs lends it to another one, and gets it back

  const keepFocus = panel => {
    let last = null;
    let opener = null;
    let lender = null;
    let holder = null;
    panel.addEventListener('focusin', event => {
      if (!event.target.closest('.azml-form')) {
        opener = event.target;
      }
      last = event.target;
      lender = event.target === holder ? lender : null;
    });
    panel.addEventListener('focusout', event => {
      if (event.relatedTarget || isReady(event.target)) {
        last = event.relatedTarget && panel.contains(event.relatedTarget) ? last : null;
      }
    });
    return () => {
      const form = [...panel.querySelectorAll('.azml-form')].find(isShown);
      const focused = document.activeElement;
      // the browser takes the focus from a hidden control only after this frame
      const isLost = focused === document.body ? last : panel.contains(focused) && !isShown(focused);
      if (form && form !== panel.azmlForm) {
        [...form.querySelectorAll('input, textarea, button')].find(isReady)?.focus();
      } else if (isLost) {
        const menu = panel.querySelector('.azml-expands');
        const waits = isShown(last) && last.disabled ? last : null;
        holder = [last, opener, menu].find(isReady);
        holder?.focus({ preventScroll: true });
        lender = waits;
      } else if (isReady(lender) && focused === holder) {
        lender.focus({ preventScroll: true });
      }
      panel.azmlForm = form;
    };
  };

  const watch = panel => {
    const restoreFocus = keepFocus(panel);
    let isPlanned = false;
    const update = () => {
      isPlanned = false;
      describe(panel);
      sayIfDead(panel);
      focusCase(panel);
      restoreFocus();
    };
    const plan = () => {
      if (!isPlanned) {
        isPlanned = true;
        requestAnimationFrame(update);
      }
    };
    const attributeFilter = ['class', 'disabled', 'style'];
    new MutationObserver(plan).observe(panel, { childList: true, subtree: true, attributes: true, attributeFilter });
    panel.addEventListener('keydown', onOwnKey);
    panel.addEventListener('click', onCaseClick);
    panel.addEventListener('input', event => {
      if (event.target.matches('textarea')) {
        panel.azmlTyped = event.target;
      }
    });
    plan();
  };

  // The output may be drawn before it is part of the panel.
  const start = triesLeft => {
    const panel = element.closest?.('.azml-panel');
    if (panel && !panel.azmlIsWatched) {
      panel.azmlIsWatched = true;
      watch(panel);
    } else if (!panel && triesLeft) {
      setTimeout(start, 50, triesLeft - 1);
    }
  };
  start(200);
})();
