/** A verdict about the books: holds, unsettled, broken, or not known yet. */
import type { ReactNode } from 'react';
import { CheckIcon, CrossIcon, LedgerIcon } from './icons.tsx';

export type VerdictWord = 'holds' | 'unsettled' | 'broken';

const LOOKS = {
  holds: { tone: '', Icon: CheckIcon },
  unsettled: { tone: 'wait', Icon: LedgerIcon },
  broken: { tone: 'bad', Icon: CrossIcon },
} as const;

export function Verdict({
  verdict,
  title,
  children,
}: {
  /** Undefined: not known yet. */
  verdict?: VerdictWord;
  title: string;
  children: ReactNode;
}) {
  const { tone, Icon } = LOOKS[verdict ?? 'unsettled'];
  return (
    <div className={`verdict ${tone}`}>
      <span className="seal">
        <Icon />
      </span>
      <div>
        <strong>{title}</strong>
        <div className="quiet small">{children}</div>
      </div>
    </div>
  );
}
