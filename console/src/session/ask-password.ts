/** Opens the dialog that asks for the password again, from any page. The shell shows it. */
import { useSyncExternalStore } from 'react';

let asked = false;
const listeners = new Set<() => void>();

export function askPassword(open: boolean): void {
  asked = open;
  for (const listener of listeners) listener();
}

export function usePasswordAsked(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => asked,
  );
}
