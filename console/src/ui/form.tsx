/** Fields, dialogs and buttons that act. */
import { type ComponentProps, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useExponents } from '../api/currencies.ts';
import { type ParsedAmount, parseMinor } from '../money/minor-units.ts';
import { ErrorNote } from './parts.tsx';

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
}

export function TextField({
  label,
  hint,
  error,
  ...input
}: FieldProps & Omit<ComponentProps<'input'>, 'id' | 'className'>) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        aria-invalid={error ? true : undefined}
        aria-describedby={hint || error ? `${id}-more` : undefined}
        {...input}
      />
      <FieldMore id={id} hint={hint} error={error} />
    </div>
  );
}

export function TextArea({
  label,
  hint,
  error,
  ...input
}: FieldProps & Omit<ComponentProps<'textarea'>, 'id' | 'className'>) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className="input"
        spellCheck={false}
        aria-invalid={error ? true : undefined}
        aria-describedby={hint || error ? `${id}-more` : undefined}
        {...input}
      />
      <FieldMore id={id} hint={hint} error={error} />
    </div>
  );
}

function FieldMore({ id, hint, error }: { id: string; hint?: ReactNode; error?: string | undefined }) {
  if (!hint && !error) return null;
  return (
    <span id={`${id}-more`} className={error ? 'error' : 'hint'}>
      {error ?? hint}
    </span>
  );
}

export type Option = readonly [value: string, label: string];

export function SelectField({
  label,
  hint,
  options,
  ...select
}: FieldProps & { options: readonly Option[] } & Omit<ComponentProps<'select'>, 'id' | 'className'>) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="input" aria-describedby={hint ? `${id}-more` : undefined} {...select}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      <FieldMore id={id} hint={hint} />
    </div>
  );
}

export function CheckField({ label, ...input }: { label: string } & ComponentProps<'input'>) {
  return (
    <label className="check">
      <input type="checkbox" {...input} />
      {label}
    </label>
  );
}

/** Any number of options, each by a box. */
export function CheckGroup<T extends string>({
  legend,
  options,
  chosen,
  onChange,
}: {
  legend: string;
  options: readonly T[];
  chosen: readonly T[];
  onChange: (chosen: T[]) => void;
}) {
  return (
    <fieldset className="stack">
      <legend>{legend}</legend>
      {options.map((option) => (
        <CheckField
          key={option}
          label={option}
          checked={chosen.includes(option)}
          onChange={(event) =>
            onChange(event.target.checked ? [...chosen, option] : chosen.filter((each) => each !== option))
          }
        />
      ))}
    </fieldset>
  );
}

/** An amount in the decimals of its currency. `onChange` gets the text; `useAmount` parses it. */
export function AmountField({
  label,
  currency,
  hint,
  error,
  value,
  onChange,
  disabled,
}: FieldProps & {
  currency: string;
  value: string;
  onChange: (text: string) => void;
  disabled?: boolean;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="amount-input">
        <input
          id={id}
          className="input"
          inputMode="decimal"
          autoComplete="off"
          value={value}
          disabled={disabled}
          aria-invalid={error ? true : undefined}
          aria-describedby={hint || error ? `${id}-more` : undefined}
          onChange={(event) => onChange(event.target.value)}
        />
        <span>{currency}</span>
      </div>
      <FieldMore id={id} hint={hint} error={error} />
    </div>
  );
}

export function useParseAmount(): (text: string, currency: string) => ParsedAmount {
  const exponentOf = useExponents();
  return (text, currency) => {
    const exponent = exponentOf(currency);
    if (exponent === undefined) return { error: 'The decimals of this currency are not known.' };
    return parseMinor(text, exponent);
  };
}

/** The browser's own modal dialog: it keeps the focus inside, closes by Escape, and gives the focus back. */
export function Dialog({
  title,
  onClose,
  wide = false,
  children,
}: {
  title: string;
  onClose: () => void;
  wide?: boolean;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    if (element && !element.open) element.showModal();
    return () => {
      element?.close();
      // React has already removed the dialog, so the browser does not give the focus back.
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={wide ? 'wide' : undefined}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className="body">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

/** Runs an action once at a time, and keeps its error. */
export function useRun() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = async (action: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setError(undefined);
    try {
      await action();
      return true;
    } catch (failure) {
      setError(failure);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run };
}

/** A button that states the effect of a dangerous action, and asks before it acts. */
export function ConfirmButton({
  label,
  title,
  effect,
  confirm = label,
  danger = true,
  tiny = false,
  reason = false,
  action,
}: {
  label: string;
  title: string;
  effect: ReactNode;
  confirm?: string;
  danger?: boolean;
  tiny?: boolean;
  /** Asks for a reason, which is recorded. */
  reason?: boolean;
  action: (reason: string) => Promise<unknown>;
}) {
  const [open, setOpen] = useState(false);
  const [why, setWhy] = useState('');
  const { busy, error, run } = useRun();
  const act = async () => {
    if (await run(() => action(why))) setOpen(false);
  };
  return (
    <>
      <button
        type="button"
        className={`button ${danger ? 'danger' : ''} ${tiny ? 'tiny' : ''}`}
        onClick={() => setOpen(true)}
      >
        {label}
      </button>
      {open && (
        <Dialog title={title} onClose={() => setOpen(false)}>
          <p>{effect}</p>
          {reason && (
            <TextField
              label="Reason (recorded in the audit log)"
              value={why}
              maxLength={500}
              onChange={(event) => setWhy(event.target.value)}
            />
          )}
          {error !== undefined && <ErrorNote error={error} />}
          <div className="actions">
            <button type="button" className="button" onClick={() => setOpen(false)}>
              Keep as it is
            </button>
            <button
              type="button"
              className={`button ${danger ? 'danger' : 'primary'}`}
              disabled={busy}
              onClick={() => void act()}
            >
              {busy ? 'Working…' : confirm}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
