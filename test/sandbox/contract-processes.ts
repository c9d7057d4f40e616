import { expect, it } from "vitest";
import type { Subject } from "./contract.ts";
import { LeftToAnother } from "../../domain/errors.ts";
import { countProcesses, marker, print, run, specOf, textOf, until } from "./harness.ts";

export function processContract(subject: Subject): void {
  it("a command that overruns is ended with everything it started, whatever that did to get away", async () => {
    const argument = marker();
    const script = `trap '' TERM
      setsid sleep ${argument} &
      (trap '' TERM HUP; exec sleep ${argument}) &
      setsid -f bash -c "trap '' TERM; sleep ${argument}; :"
      env -i setsid -f nohup sleep ${argument} >/dev/null 2>&1
      python3 -c 'import os,sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: os.execvp("sleep", ["sleep", "${argument}"])
' || :
      echo started
      while :; do sleep ${argument}; done`;
    const started = performance.now();
    const result = await run(subject.sandbox, script, { timeoutMs: 1500 });
    expect(result.kind).toBe("timed-out");
    expect(textOf(result)).toContain("started\n");
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(await countProcesses(subject.sandbox, argument)).toBe(0);
  });

  it("background processes end with their command, which does not wait for them", async () => {
    const argument = marker();
    const started = performance.now();
    const result = await run(
      subject.sandbox,
      `sleep ${argument} & setsid -f sleep ${argument}; (sleep ${argument} &); echo done; exit 5`,
    );
    expect(result).toMatchObject({ kind: "exited", exitCode: 5 });
    expect(textOf(result)).toBe("done\n");
    expect(performance.now() - started).toBeLessThan(5000);
    expect(await countProcesses(subject.sandbox, argument)).toBe(0);
  });

  it("what a command asks its children to print before they are ended is still heard", async () => {
    const result = await run(
      subject.sandbox,
      "trap 'echo goodbye; exit' TERM; echo hello; while :; do sleep 0.05; done",
      { timeoutMs: 400 },
    );
    expect(result.kind).toBe("timed-out");
    expect(textOf(result)).toMatch(/^hello\n(?:.*\n)*goodbye\n$/);
  });

  it("a stopped process cannot outlive its command", async () => {
    const argument = marker();
    await print(subject.sandbox, `sleep ${argument} & kill -STOP $!`);
    expect(await countProcesses(subject.sandbox, argument)).toBe(0);
  });

  it("other commands are not hurt when one is ended", async () => {
    const argument = marker();
    const other = run(subject.sandbox, `sleep 2.5 & wait; echo ${argument}`);
    await run(subject.sandbox, "sleep 60", { timeoutMs: 300 });
    expect(textOf(await other)).toBe(`${argument}\n`);
  });

  it("aborting ends the command with all it started and rejects with the reason", async () => {
    const argument = marker();
    const abort = new AbortController();
    const reason = new Error("the user changed their mind");
    const command = {
      key: `aborted-${argument}`,
      script: `trap '' TERM; setsid -f sleep ${argument}; sleep ${argument}`,
      timeoutMs: 60_000,
      keepBytes: 1000,
    };
    const running = subject.sandbox.run(command, abort.signal);
    running.catch(() => {});
    await until("the command runs", async () => (await countProcesses(subject.sandbox, argument)) >= 2);
    abort.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(await countProcesses(subject.sandbox, argument)).toBe(0);
    expect(await subject.sandbox.run(command, new AbortController().signal)).toMatchObject({ kind: "unknown" });
  });

  it("a command that another process began is ended by an abort as well", async () => {
    const argument = marker();
    const others = subject.implementation.create();
    const theirs = await others.open(specOf(subject.key), new AbortController().signal);
    const command = { key: `shared-${argument}`, script: `sleep ${argument}`, timeoutMs: 60_000, keepBytes: 1000 };
    const began = theirs.run(command, new AbortController().signal);
    await until("the command runs", async () => (await countProcesses(subject.sandbox, argument)) === 1);
    const abort = new AbortController();
    const joined = subject.sandbox.run(command, abort.signal);
    setTimeout(() => abort.abort(new Error("enough")), 100);
    await expect(joined).rejects.toThrow("enough");
    expect(await began).toMatchObject({ kind: "unknown" });
    expect(await countProcesses(subject.sandbox, argument)).toBe(0);
    others.disconnect();
  });

  it("an abort that leaves the command to another ends nothing, and the other has its result", async () => {
    const argument = marker();
    const abort = new AbortController();
    const reason = new LeftToAnother("another attempt goes on");
    const command = {
      key: `left-${argument}`,
      script: `sleep 1.${argument}; echo whole`,
      timeoutMs: 60_000,
      keepBytes: 1000,
    };
    const left = subject.sandbox.run(command, abort.signal);
    left.catch(() => {});
    await until("the command runs", async () => (await countProcesses(subject.sandbox, `1.${argument}`)) === 1);
    abort.abort(reason);
    await expect(left).rejects.toBe(reason);
    const result = await subject.sandbox.run(command, new AbortController().signal);
    expect(result).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(textOf(result)).toBe("whole\n");
  });

  it("aborting one command does not touch the next, however close it follows", async () => {
    for (let round = 0; round < 20; round++) {
      const abort = new AbortController();
      const aborted = run(subject.sandbox, "echo short", {}, abort.signal).catch(() => {});
      setTimeout(() => abort.abort(new Error("enough")), round % 7);
      await aborted;
      expect(await print(subject.sandbox, "echo next")).toBe("next\n");
    }
  });

  it("a signal that has fired already starts nothing", async () => {
    const reason = new Error("too late");
    await expect(run(subject.sandbox, "touch never-made", {}, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await subject.sandbox.read("never-made", 1, new AbortController().signal)).toEqual({ kind: "missing" });
  });
}
