/** The mails that the local mail server received, by the interface of its page. */
import { eventually } from './platform.ts';

export interface ReceivedMail {
  subject: string;
  to: { address: string }[];
  text: string;
  html: string;
  headers: Record<string, string>;
}

/** Undefined if the platform sends its mails to another server. */
export const INBOX = process.env.TEST_INBOX_URL || undefined;

/** The mails to an address, the oldest first. */
export async function mailsTo(address: string): Promise<ReceivedMail[]> {
  const answer = await fetch(`${INBOX}/email`);
  const mails = (await answer.json()) as ReceivedMail[];
  return mails.filter(({ to }) => to.some((each) => each.address === address));
}

/** Waits for a mail whose subject or text contains `text`. */
export function mailWith(address: string, text: string): Promise<ReceivedMail> {
  return eventually(async () => {
    const found = (await mailsTo(address)).find((mail) => `${mail.subject}\n${mail.text}`.includes(text));
    if (!found) throw new Error(`${address} got no mail with ${text}.`);
    return found;
  });
}

/** The token of the link in a confirmation mail. */
export function tokenIn({ text }: ReceivedMail): string {
  const [, token] = /#token=([\w-]+)/.exec(text) ?? [];
  if (!token) throw new Error('There is no link in the mail.');
  return token;
}
