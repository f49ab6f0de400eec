/**
 * Serves /confirm-email, the page behind the link of a confirmation mail. The token is in the fragment of the URL, which browsers do
 * not send. A script sends it when the person clicks: programs that open all links of a mail confirm nothing.
 */
import type { FastifyInstance } from 'fastify';
import { DOCUMENT_MAX_AGE_S } from './caching.ts';
import { prepareDocument, sendDocument } from './static-document.ts';

const ANYONE = {
  config: { access: 'anyone', maxAgeS: DOCUMENT_MAX_AGE_S },
  schema: { hide: true } as object,
} as const;

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Confirm your mail address – PayFlowX</title>
<link rel="stylesheet" href="/confirm-email/page.css">
<script src="/confirm-email/page.js" defer></script>
</head>
<body>
<main>
<h1 id="title">Confirm your mail address</h1>
<p id="text" role="status">This page needs JavaScript.</p>
<button id="confirm" hidden>Confirm the address</button>
</main>
</body>
</html>
`;

const STYLE = `body { margin: 0; padding: 3rem 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff }
main { max-width: 32rem; margin: auto }
button { padding: .75rem 1.25rem; border: 0; font: inherit; color: #fff; background: #0b5cad; cursor: pointer }
button:disabled { opacity: .5 }
`;

const SCRIPT = `const TEXTS = {
  en: {
    title: 'Confirm your mail address',
    ask: 'Confirm that this address is yours.',
    button: 'Confirm the address',
    done: 'Your address is confirmed. You can close this page.',
    invalid: 'This link is not valid any more. Log in and request a new one.',
    failed: 'That did not work. Try again in a moment.',
  },
  de: {
    title: 'Mailadresse bestätigen',
    ask: 'Bestätigen Sie, dass diese Adresse Ihnen gehört.',
    button: 'Adresse bestätigen',
    done: 'Ihre Adresse ist bestätigt. Sie können diese Seite schließen.',
    invalid: 'Dieser Link ist nicht mehr gültig. Melden Sie sich an und fordern Sie einen neuen an.',
    failed: 'Das hat nicht funktioniert. Versuchen Sie es gleich noch einmal.',
  },
};
const language = navigator.language.startsWith('de') ? 'de' : 'en';
const texts = TEXTS[language];
const [title, text, button] = ['title', 'text', 'confirm'].map((id) => document.getElementById(id));
const token = new URLSearchParams(location.hash.slice(1)).get('token');

document.documentElement.lang = language;
title.textContent = texts.title;
text.textContent = token ? texts.ask : texts.invalid;
button.textContent = texts.button;
button.hidden = !token;
button.addEventListener('click', async () => {
  button.disabled = true;
  const status = await send().catch(() => 0);
  const isFinal = status === 204 || status === 422 || status === 400;
  text.textContent = status === 204 ? texts.done : isFinal ? texts.invalid : texts.failed;
  button.hidden = isFinal;
  button.disabled = false;
});

async function send() {
  const answer = await fetch('/v1/email-confirmations', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  return answer.status;
}
`;

const DOCUMENTS = {
  '/confirm-email': ['text/html; charset=utf-8', PAGE],
  '/confirm-email/page.css': ['text/css; charset=utf-8', STYLE],
  '/confirm-email/page.js': ['text/javascript; charset=utf-8', SCRIPT],
} as const;

export async function serveConfirmationPage(app: FastifyInstance): Promise<void> {
  for (const [path, [type, content]] of Object.entries(DOCUMENTS)) {
    const document = await prepareDocument(type, content);
    app.get(path, ANYONE, async (request, reply) =>
      sendDocument(request, reply.header('content-security-policy', POLICY), document),
    );
  }
}
