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
// An account is connected in a window of its own; without one the browser goes there and comes back by itself.
document.querySelectorAll('form[data-login]').forEach(function (form) {
  var complaint = form.querySelector('[role=alert]');
  function refuse(text) {
    complaint.textContent = text;
    complaint.hidden = false;
  }
  function answer(response) {
    return response.json().then(function (body) {
      if (response.ok) return body;
      var detail = body.detail;
      throw new Error(detail && detail.message || (typeof detail === 'string' ? detail : 'That did not work.'));
    });
  }
  form.addEventListener('submit', function (event) {
    var opened = window.open('', 'heddle-connect', 'popup,width=620,height=780');
    if (!opened) return;
    event.preventDefault();
    complaint.hidden = true;
    fetch(form.dataset.login, { credentials: 'same-origin' }).then(answer).then(function (begun) {
      window.addEventListener('message', function hear(message) {
        var said = message.data;
        if (message.origin !== location.origin || message.source !== opened) return;
        if (!said || said.message_type !== 'oauth_popup_result') return;
        window.removeEventListener('message', hear);
        if (!said.success || said.state !== begun.state_token) return refuse(said.message || 'The account was not connected.');
        var sent = { code: said.code, state_token: said.state, iss: said.iss };
        var headers = { 'content-type': 'application/json', 'x-csrf-token': form.elements.csrf.value };
        fetch(form.dataset.callback, { method: 'POST', credentials: 'same-origin', headers: headers, body: JSON.stringify(sent) })
          .then(answer)
          .then(function (made) {
            var done = form.dataset.done;
            location.assign(done.slice(-1) === '=' ? done + encodeURIComponent(made.id) : done + '?said=connected');
          })
          .catch(function (error) { refuse(error.message); });
      });
      opened.location.replace(begun.login_url);
    }).catch(function (error) {
      opened.close();
      refuse(error.message);
    });
  });
});
(function () {
  var result = document.getElementById('oauth-popup-result');
  if (!result || !window.opener) return;
  var code = result.dataset.code;
  var said = code
    ? { message_type: 'oauth_popup_result', success: true, code: code, state: result.dataset.state, iss: result.dataset.iss }
    : { message_type: 'oauth_popup_result', success: false, message: result.dataset.message };
  // To a page of this server, and to no other that may have opened the window.
  window.opener.postMessage(said, location.origin);
  window.close();
})();
