/** Renders a letter as plain text and as HTML. Both have the same content. */

import type { Language } from '@payflowx/proto/vocabulary';
import { type Html, html } from './html.ts';

/** The content of a mail. None of its texts is markup. */
export interface Letter {
  language: Language;
  subject: string;
  paragraphs: readonly string[];
  /** Label and value, such as the time. */
  facts: readonly (readonly [label: string, value: string])[];
  /** A button in HTML, and an address in plain text. */
  link?: { label: string; url: string };
  /** The last line: why the reader gets this mail. */
  reason: string;
}

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

export function renderLetter(letter: Letter): RenderedMail {
  return { subject: letter.subject, text: plainText(letter), html: document(letter).markup };
}

function plainText({ subject, paragraphs, facts, link, reason }: Letter): string {
  const lines = facts.map(([label, value]) => `${label}: ${value}`).join('\n');
  const address = link && `${link.label}:\n${link.url}`;
  const parts = [subject, ...paragraphs, lines, address, `-- \n${reason}`];
  return `${parts.filter((part) => part).join('\n\n')}\n`;
}

const FONT = 'font-family:system-ui,-apple-system,Segoe UI,Roboto,sans-serif;color:#1a1a1a';
const BUTTON = 'display:inline-block;padding:12px 20px;background:#0b5cad;color:#ffffff;text-decoration:none';

function document({ language, subject, paragraphs, facts, link, reason }: Letter): Html {
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${subject}</title>
</head>
<body style="margin:0;padding:24px;background:#ffffff;${FONT}">
<main style="max-width:560px;margin:0 auto">
<h1 style="font-size:22px">${subject}</h1>
${paragraphs.map((paragraph) => html`<p style="font-size:16px">${paragraph}</p>`)}
${facts.length > 0 ? table(facts) : ''}
${link ? html`<p><a href="${link.url}" style="${BUTTON}">${link.label}</a></p>` : ''}
<p style="margin-top:32px;font-size:13px;color:#555555">${reason}</p>
</main>
</body>
</html>
`;
}

/** A value may be text of a user: <bdi> keeps its direction to itself. */
function table(facts: Letter['facts']): Html {
  const rows = facts.map(
    ([label, value]) => html`<tr>
<th scope="row" style="text-align:left;padding:4px 16px 4px 0;font-weight:normal;color:#555555">${label}</th>
<td style="padding:4px 0"><bdi>${value}</bdi></td>
</tr>`,
  );
  return html`<table style="font-size:15px;border-collapse:collapse">
${rows}
</table>`;
}
