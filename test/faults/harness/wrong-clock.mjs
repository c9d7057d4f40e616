// Loaded into a process before all else: its clock is off by WRONG_CLOCK_MS. Timers go on as they are.
const offMs = Number(process.env["WRONG_CLOCK_MS"]);
const rightNow = Date.now;
const wrongNow = () => rightNow() + offMs;

globalThis.Date = new Proxy(Date, {
  construct: (target, given, made) => Reflect.construct(target, given.length === 0 ? [wrongNow()] : given, made),
  get: (target, name) => (name === "now" ? wrongNow : Reflect.get(target, name)),
});
