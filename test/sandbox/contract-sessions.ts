import { expect, it } from "vitest";
import type { Subject } from "./contract.ts";
import { drawKey, print, run, textOf } from "./harness.ts";

export function sessionContract(subject: Subject): void {
  const inSession = (session: string, script: string, env?: Record<string, string>) =>
    run(subject.sandbox, script, { session, ...(env ? { env } : {}) });
  const show = async (session: string, script: string) => textOf(await inSession(session, script));

  it("directory and exported variables are carried to the next command of the session, and only those", async () => {
    const session = drawKey("s");
    await inSession(
      session,
      `mkdir -p "a dir/with 'quotes'"; cd "a dir/with 'quotes'"; export KEPT=$'two\nlines "and" $more'; PLAIN=1; alias x=y; f() { :; }; set -u`,
    );
    expect(await show(session, `echo "\${PWD##*/}|$KEPT|$PLAIN|$(type -t f)"`)).toBe(
      `with 'quotes'|two\nlines "and" $more||\n`,
    );
  });

  it("a command without a session, or of another one, sees nothing of it", async () => {
    const session = drawKey("s");
    await inSession(session, "cd /; export ONLY_HERE=1");
    expect(await print(subject.sandbox, 'echo "$PWD $ONLY_HERE"')).toBe(`${subject.sandbox.tree} \n`);
    expect(await show(drawKey("s"), 'echo "$PWD $ONLY_HERE"')).toBe(`${subject.sandbox.tree} \n`);
  });

  it.each([
    ["exit 3", 3],
    ["set -e; false", 1],
    ["set -eu; echo $undefined_variable", 1],
    ["(exit 9)", 9],
    ["unset PWD; export() { :; }; exit 5", 5],
  ])("the session is kept and the exit code true when the script ends by %j", async (script, exitCode) => {
    const session = drawKey("s");
    await inSession(session, "cd /");
    const result = await inSession(session, `export LAST=yes; ${script}`);
    expect(result).toMatchObject({ kind: "exited", exitCode });
  });

  it.each(["exec true", "if then", "kill -9 $$", "trap - EXIT; cd /usr", "trap 'echo mine' EXIT; cd /usr"])(
    "a script that ends by %j leaves the session usable",
    async (script) => {
      const session = drawKey("s");
      await inSession(session, "mkdir -p kept; cd kept; export KEPT=1");
      await inSession(session, script);
      expect(await show(session, 'echo "${PWD##*/} $KEPT"')).toBe("kept 1\n");
    },
  );

  it("a command that is timed out leaves the session as it was", async () => {
    const session = drawKey("s");
    await inSession(session, "export STATE=before");
    await run(subject.sandbox, "export STATE=after; sleep 60", { session, timeoutMs: 300 });
    expect(await show(session, "echo $STATE")).toBe("before\n");
  });

  it("when the directory is gone, the next command starts in the tree", async () => {
    const session = drawKey("s");
    await inSession(session, "mkdir -p soon-gone; cd soon-gone");
    await print(subject.sandbox, "rm -rf soon-gone");
    expect(await show(session, "pwd")).toBe(`${subject.sandbox.tree}\n`);
  });

  it("variables given with a command hold for that command, over those of the session", async () => {
    const session = drawKey("s");
    await inSession(session, "export COLOUR=red");
    expect(textOf(await inSession(session, "echo $COLOUR", { COLOUR: "blue" }))).toBe("blue\n");
    expect(await show(session, "echo ${GIVEN-none}")).toBe("none\n");
  });

  it("a syntax error is told without our own lines", async () => {
    const text = await show(drawKey("s"), "echo one\nif then");
    expect(text).toContain("syntax error");
    expect(text).not.toContain("mergewright");
  });
}
