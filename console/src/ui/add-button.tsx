/** A button that opens a form for something new. */
import { type FormEvent, type ReactNode, useState } from 'react';
import { Dialog, useRun } from './form.tsx';
import { ErrorNote } from './parts.tsx';
import { SecretOnce } from './secret-once.tsx';

interface AddButtonProps {
  label: string;
  title: string;
  submit: string;
  /** True while the form is not complete. */
  disabled?: boolean;
  /** The name of the secret that `add` returns. */
  secretName?: string;
  /**
   * Gets the form and a key that is new for each opened form, so that a repeated submit adds only one. Returns a secret to show once,
   * or nothing.
   */
  add: (form: FormData, key: string) => Promise<string | undefined>;
  children: ReactNode;
}

export function AddButton({
  label,
  title,
  submit,
  disabled,
  secretName = '',
  add,
  children,
}: AddButtonProps) {
  const [key, setKey] = useState<string>();
  const [secret, setSecret] = useState<string>();
  const { busy, error, run } = useRun();
  const close = () => {
    setKey(undefined);
    setSecret(undefined);
  };
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    void run(async () => {
      const added = await add(form, key ?? '');
      if (added === undefined) close();
      else setSecret(added);
    });
  };
  return (
    <>
      <button type="button" className="button primary" onClick={() => setKey(crypto.randomUUID())}>
        {label}
      </button>
      {key !== undefined && (
        <Dialog title={title} onClose={close}>
          {secret !== undefined ? (
            <SecretOnce name={secretName} secret={secret} onClose={close} />
          ) : (
            <form className="stack" onSubmit={send}>
              {children}
              {error !== undefined && <ErrorNote error={error} />}
              <div className="actions">
                <button type="button" className="button" onClick={close}>
                  Back
                </button>
                <button type="submit" className="button primary" disabled={busy || disabled}>
                  {submit}
                </button>
              </div>
            </form>
          )}
        </Dialog>
      )}
    </>
  );
}
