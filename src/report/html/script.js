'use strict';
(() => {
  const all = (query, within = document) => [...within.querySelectorAll(query)];
  const pick = document.getElementById('trial'), zoom = document.getElementById('zoom');
  // Which trial is shown, and from how near.
  const show = () => {
    all('.trial').forEach(one => {
      one.hidden = one.dataset.trial !== pick.value;
      one.classList.toggle('first', !one.hidden); // the one that is printed
    });
    const wanted = zoom && zoom.checked ? 'near' : 'whole';
    all('.view').forEach(one => { one.hidden = ![wanted, 'only'].includes(one.dataset.view); });
  };
  if (pick) {
    pick.addEventListener('change', show);
    if (zoom) zoom.addEventListener('change', show);
    show();
  }
  // What has a title tells it below its block: to the mouse, to a finger, to the arrow keys.
  const clock = seconds => {
    const minutes = Math.floor(seconds / 60), rest = (seconds % 60).toFixed(2).padStart(5, '0');
    return String(minutes).padStart(2, '0') + ':' + rest;
  };
  const moment = (svg, event) => {
    const { left, width } = svg.getBoundingClientRect();
    const share = ((event.clientX - left) / width * 1000 - 190) / 800;
    if (!svg.dataset.from || share < 0 || share > 1) return '';
    const from = Number(svg.dataset.from), to = Number(svg.dataset.to);
    return clock(from + share * (to - from)) + '   ';
  };
  for (const section of all('section')) {
    const told = section.querySelector('.told');
    const say = (target, when) => {
      const part = target.closest && target.closest('.t');
      if (told) told.textContent = when + (part ? part.querySelector('title').textContent : '');
    };
    for (const svg of told ? all('svg', section).filter(svg => svg.querySelector('.t')) : []) {
      const parts = all('.t', svg);
      svg.tabIndex = 0;
      parts.forEach(part => part.setAttribute('tabindex', '-1'));
      svg.addEventListener('mousemove', event => say(event.target, moment(svg, event)));
      svg.addEventListener('focusin', event => say(event.target, ''));
      svg.addEventListener('keydown', event => {
        const at = parts.indexOf(document.activeElement);
        const by = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: parts.length - 1 };
        if (!(event.key in by)) return;
        event.preventDefault();
        parts[Math.max(0, Math.min(parts.length - 1, by[event.key]))].focus();
      });
    }
  }
})();
