// Comforts; every page works without them. Only passkeys need a script, and the password goes on beside them.
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
// Passkeys: the server says what to ask the browser, and hears what it answers. Bytes travel as base64url.
document.querySelectorAll('[data-passkey]').forEach(function (place) {
  if (!window.PublicKeyCredential || !navigator.credentials || !window.fetch) return;
  var isNew = place.dataset.passkey === 'create';
  var alert = place.querySelector('[role=alert]');
  var button = place.querySelector('button');
  var bytes = function (text) {
    var raw = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
    return Uint8Array.from(raw, function (letter) { return letter.charCodeAt(0); });
  };
  var text = function (buffer) {
    var raw = Array.from(new Uint8Array(buffer), function (byte) { return String.fromCharCode(byte); }).join('');
    return btoa(raw).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  };
  var named = function (list) {
    return list.map(function (one) { return { type: one.type, id: bytes(one.id) }; });
  };
  var post = function (path, body) {
    var sent = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    return fetch(path, sent).then(function (answer) {
      return answer.json().then(function (json) {
        if (answer.ok) return json;
        throw new Error(typeof json.detail === 'string' ? json.detail : 'The server did not understand.');
      });
    });
  };
  var ask = function (options) {
    options.challenge = bytes(options.challenge);
    if (!isNew) {
      options.allowCredentials = named(options.allowCredentials);
      return navigator.credentials.get({ publicKey: options });
    }
    options.user.id = bytes(options.user.id);
    options.excludeCredentials = named(options.excludeCredentials);
    return navigator.credentials.create({ publicKey: options });
  };
  var answer = function (made) {
    var response = {};
    ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'].forEach(function (part) {
      if (made.response[part]) response[part] = text(made.response[part]);
    });
    var name = place.querySelector('[name=name]');
    return post(place.dataset.answer, {
      credential: { id: made.id, rawId: text(made.rawId), type: made.type, response: response },
      name: name ? name.value : undefined, next: isNew ? undefined : place.dataset.next,
    });
  };
  var why = function (error) {
    if (error.name === 'NotAllowedError') return 'Nothing was chosen, or it took too long.';
    if (error.name === 'InvalidStateError') return 'This device has a passkey for this account already.';
    return error.message;
  };
  place.hidden = false;
  document.querySelectorAll('[data-without-passkeys]').forEach(function (note) { note.hidden = true; });
  place.addEventListener(isNew ? 'submit' : 'click', function (event) {
    if (!isNew && event.target !== button) return;
    event.preventDefault();
    alert.hidden = true;
    button.disabled = true;
    post(place.dataset.ask, {}).then(ask).then(answer).then(function (done) {
      location.assign(isNew ? place.dataset.next : done.location);
    }).catch(function (error) {
      alert.textContent = why(error);
      alert.hidden = false;
      button.disabled = false;
    });
  });
});
