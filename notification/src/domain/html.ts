/** A tag for HTML templates. It escapes every value, except HTML from this tag. */

export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

type Value = string | Html | readonly Html[];

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(parts.map((part, index) => `${part}${markupOf(values[index] ?? '')}`).join(''));
}

/** Safe in an element's text and in a quoted attribute. */
function markupOf(value: Value): string {
  if (value instanceof Html) return value.markup;
  if (typeof value === 'string')
    return value.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
  return value.map(markupOf).join('\n');
}
