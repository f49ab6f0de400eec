/** A secret that the platform shows only once. */
import { Id } from './parts.tsx';

export function SecretOnce({ name, secret, onClose }: { name: string; secret: string; onClose: () => void }) {
  return (
    <div className="stack">
      <p>This is the {name}. Copy it now: it is not shown again.</p>
      <p className="note info">
        <Id id={secret} whole />
      </p>
      <div className="actions">
        <button type="button" className="button primary" onClick={onClose}>
          I have copied it
        </button>
      </div>
    </div>
  );
}
