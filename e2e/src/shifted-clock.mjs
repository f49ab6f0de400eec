// Shifts the clock of a process by SHIFT_MS, as `node --import` of a service. Its timers and its TLS use the real clock.
const shift = Number(process.env.SHIFT_MS ?? 0);
const RealDate = Date;
const now = () => RealDate.now() + shift;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }
  static now() {
    return now();
  }
};
