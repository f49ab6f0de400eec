/** Phrases that had to be read twice, and the wording to use instead. The style test tries both columns. */

export interface Phrase {
  readonly avoid: RegExp;
  readonly write: string;
}

export const PHRASES: readonly Phrase[] = [
  {
    avoid: /\b(nobody|no one|somebody|someone) (\w+ )?waits? for\b/i,
    write: 'on the request path / background job',
  },
  { avoid: /\bwaits? for each other in a circle\b/i, write: 'deadlock' },
  { avoid: /\brecogni[sz]es? what (they|it) knows?\b/i, write: 'skips events it has already applied' },
  { avoid: /\bwhat works behind\b|\bbehind (an|the) answer\b/i, write: 'background services' },
  { avoid: /\byield(s|ed)? (less|more)\b/i, write: 'runs at a lower (or higher) priority' },
  { avoid: /\broom to grow\b/i, write: 'heap growth factor' },
  { avoid: /\bfirst answered with\b/i, write: 'the first response' },
  { avoid: /\b(is|are) had\b/i, write: 'is installed / is available' },
  { avoid: /\bborn (young|old)\b/i, write: 'allocated in the young (or old) generation' },
  { avoid: /\bthe world outside\b/i, write: 'the external account' },
  { avoid: /\b(is|are|was|were|what is|everything) under way\b/i, write: 'in progress / in flight' },
  { avoid: /\bon its own two feet\b|\bstands? alone\b/i, write: 'on its own' },
  { avoid: /\bhas? (heard|hear) of\b|\bhears? of\b/i, write: 'receives the event of' },
  { avoid: /\b(come|comes|came) twice\b/i, write: 'is delivered twice / is a duplicate' },
  { avoid: /\bby force\b/i, write: 'with superuser rights' },
  { avoid: /\bin our own words\b/i, write: 'translated to the types of this service' },
  { avoid: /\bcannot be told\b/i, write: 'cannot be evaluated' },
  { avoid: /\b(every|each|any|some|no)body\b/i, write: 'name them: callers, clients, operators' },
  { avoid: /\btold\b/i, write: 'gets / receives / is configured with' },
  { avoid: /\banew\b/i, write: 'again' },
  { avoid: /\bfor good\b/i, write: 'for ever / permanently' },
  { avoid: /\b(is|are|was|were|goes|went|stays) away\b/i, write: 'is unavailable' },
  { avoid: /\bheld? against\b/i, write: 'compared with' },
  {
    avoid: /[:;] (what|whoever|whatever|whether)\b/,
    write: 'a sentence of its own that names the thing first',
  },
];
