'use strict';
const pick = document.getElementById('trial');
if (pick) {
  const show = () => document.querySelectorAll('.trial').forEach(one => { one.hidden = one.dataset.trial !== pick.value; });
  pick.addEventListener('change', show);
  show();
}
