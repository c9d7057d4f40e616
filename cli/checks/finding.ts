/** What the doctor found out about one part. */
export interface Finding {
  /** The part, in a word or two. */
  name: string;
  state: "ok" | "warn" | "fail";
  /** What was found, in one sentence. */
  what: string;
  /** What to do about it; null where there is nothing to do. */
  mend: string | null;
}

export type Check = () => Promise<Finding[]>;

export const ok = (name: string, what: string): Finding => ({ name, state: "ok", what, mend: null });
export const warn = (name: string, what: string, mend: string): Finding => ({ name, state: "warn", what, mend });
export const fail = (name: string, what: string, mend: string): Finding => ({ name, state: "fail", what, mend });

/** A check that throws or hangs is a finding like any other. */
export async function limited(name: string, check: Check, timeoutMs: number): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding[]>((resolve) => {
    const seconds = timeoutMs / 1000;
    timer = setTimeout(
      () =>
        resolve([
          fail(name, `There was no answer within ${seconds} s.`, "Check the network and the address, then try again."),
        ]),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [fail(name, message, "Try again; if it stays, look at this message.")];
  } finally {
    clearTimeout(timer);
  }
}
