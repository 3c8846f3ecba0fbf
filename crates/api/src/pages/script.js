// Comforts; every page works without them.
document.querySelectorAll('[data-copy]').forEach(function (button) {
  var source = document.getElementById(button.getAttribute('data-copy'));
  if (!source || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener('click', function () {
    navigator.clipboard.writeText(source.textContent).then(function () {
      button.textContent = 'Copied';
    });
  });
});
document.querySelectorAll('[data-tick]').forEach(function (button) {
  button.hidden = false;
  button.addEventListener('click', function () {
    var all = button.getAttribute('data-tick') === 'all';
    button.closest('fieldset').querySelectorAll('input[type=checkbox]').forEach(function (box) {
      box.checked = all;
    });
  });
});
