// Hands the answer of the authorization page to the window of Swagger UI that asked, and closes.
(function () {
  'use strict';
  var asked = window.opener && window.opener.swaggerUIRedirectOauth2;
  var answer = new URLSearchParams(window.location.search);
  if (!asked) {
    document.getElementById('said').textContent = 'The page that asked is no longer open. Close this one and try again.';
    return;
  }
  var fail = function (message) {
    asked.errCb({ authId: asked.auth.name, source: 'auth', level: 'error', message: message });
  };
  if (!asked.state || answer.get('state') !== asked.state) {
    fail('The answer belongs to another request.');
  } else if (answer.get('code')) {
    delete asked.state;
    asked.auth.code = answer.get('code');
    asked.callback({ auth: asked.auth, redirectUrl: asked.redirectUrl });
  } else {
    fail((answer.get('error') || 'no code came') + ': ' + (answer.get('error_description') || 'no reason was given'));
  }
  window.close();
}());
