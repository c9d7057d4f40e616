import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import type { Subject } from "./contract.ts";
import { countProcesses, drawKey, marker, never, print, specOf, textOf, until } from "./harness.ts";

export function journalContract(subject: Subject): void {
  const command = (key: string, script: string) => ({ key, script, timeoutMs: 30_000, keepBytes: 10_000 });
  const timesRun = async (file: string) => (await print(subject.sandbox, `cat ${file}`)).split("\n").length - 1;

  it("a command happens once, however often it is asked for, and always has the same result", async () => {
    const file = drawKey("once");
    const asked = command(drawKey("k"), `echo x >> ${file}; echo result; exit 9`);
    const first = await subject.sandbox.run(asked, never);
    const again = await Promise.all([1, 2, 3].map(() => subject.sandbox.run(asked, never)));
    for (const result of again) expect(result).toEqual(first);
    expect(first).toMatchObject({ kind: "exited", exitCode: 9 });
    expect(await timesRun(file)).toBe(1);
  });

  it("two who ask at once, in two processes, get one run", async () => {
    const file = drawKey("both");
    const asked = command(drawKey("k"), `echo x >> ${file}; sleep 1; echo result`);
    const others = subject.implementation.create();
    const sandbox = await others.open(specOf(subject.key), never);
    const results = await Promise.all([
      subject.sandbox.run(asked, never),
      sandbox.run(asked, never),
      sandbox.run(asked, never),
      subject.sandbox.run(asked, never),
    ]);
    expect(new Set(results.map(textOf))).toEqual(new Set(["result\n"]));
    expect(await timesRun(file)).toBe(1);
    others.disconnect();
  });

  it("the journal knows what was run, what was written, and what was never asked for", async () => {
    const run = drawKey("k");
    const write = drawKey("k");
    const result = await subject.sandbox.run(command(run, "echo hello; exit 2"), never);
    await subject.sandbox.write("journalled.txt", Buffer.from("text"), { key: write }, never);
    expect(await subject.sandbox.journal(run, never)).toEqual(result);
    expect(await subject.sandbox.journal(write, never)).toEqual({ kind: "written" });
    expect(await subject.sandbox.journal(drawKey("k"), never)).toBeNull();
  });

  it("asking the journal for a running command waits for its end", async () => {
    const key = drawKey("k");
    const running = subject.sandbox.run(command(key, "sleep 0.7; echo end"), never);
    const told = await subject.sandbox.journal(key, never);
    expect(told).toEqual(await running);
    expect(told).toMatchObject({ kind: "exited", exitCode: 0 });
  });

  it("a repeated write with its key changes nothing any more", async () => {
    const key = drawKey("k");
    const path = `${key}.txt`;
    await subject.sandbox.write(path, Buffer.from("first"), { key }, never);
    await print(subject.sandbox, `echo changed > ${path}`);
    expect(await subject.sandbox.write(path, Buffer.from("first"), { key }, never)).toEqual({ kind: "written" });
    expect(await print(subject.sandbox, `cat ${path}`)).toBe("changed\n");
  });

  it("a connection that breaks off costs nothing: the command goes on and its result is had", async () => {
    const file = drawKey("reconnect");
    const others = subject.implementation.create();
    const sandbox = await others.open(specOf(subject.key), never);
    const asked = command(drawKey("k"), `echo x >> ${file}; sleep 1.2; echo result`);
    const running = sandbox.run(asked, never);
    await until("the command has begun", async () => (await subject.sandbox.read(file, 10, never)).kind === "file");
    others.disconnect();
    expect(textOf(await running)).toBe("result\n");
    expect(await timesRun(file)).toBe(1);
  });

  it("when the worker is killed, its command goes on and the next worker gets the result", async () => {
    const file = drawKey("killed");
    const key = drawKey("k");
    const script = `echo x >> ${file}; sleep 2; echo result`;
    const client = fileURLToPath(new URL("client.ts", import.meta.url));
    const worker = spawn(
      process.execPath,
      ["--import", "tsx", client, ...subject.implementation.clientArguments, subject.key, key, script],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await until(
      "the command has begun",
      async () => (await subject.sandbox.read(file, 10, never)).kind === "file",
      30_000,
    );
    worker.kill("SIGKILL");
    await once(worker, "exit");
    const result = await subject.sandbox.run({ ...command(key, script), timeoutMs: 60_000 }, never);
    expect(result).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(textOf(result)).toBe("result\n");
    expect(await timesRun(file)).toBe(1);
  });

  it("a command whose supervisor was killed is unknown, is ended, and is never run again", async () => {
    const file = drawKey("murdered");
    const argument = marker();
    const asked = command(drawKey("k"), `echo x >> ${file}; sleep ${argument} & kill -9 $PPID; sleep ${argument}`);
    expect(await subject.sandbox.run(asked, never)).toMatchObject({ kind: "unknown" });
    expect(await subject.sandbox.run(asked, never)).toMatchObject({ kind: "unknown" });
    expect(await subject.sandbox.journal(asked.key, never)).toMatchObject({ kind: "unknown" });
    expect(await timesRun(file)).toBe(1);
    expect(await countProcesses(subject.sandbox, argument)).toBe(0);
  });

  it("a command that removes the journal has its result all the same, and others after it", async () => {
    const others = drawKey("journal");
    const sandbox = await subject.sandboxes.open(specOf(others), never);
    const removal = await sandbox.run(command("removal", 'rm -rf ../journal "$PWD"; echo removed'), never);
    expect(textOf(removal)).toBe("removed\n");
    expect(textOf(await sandbox.run(command("next", "pwd; echo fine"), never))).toBe(`${sandbox.tree}\nfine\n`);
    expect(await sandbox.write("a.txt", Buffer.from("a"), { key: "w" }, never)).toEqual({ kind: "written" });
    await subject.sandboxes.close(others);
  });

  it("a key serves for one thing: a command's is refused for a file, and the other way round", async () => {
    const run = drawKey("k");
    const write = drawKey("k");
    await subject.sandbox.run(command(run, "true"), never);
    await subject.sandbox.write("x.txt", Buffer.from(""), { key: write }, never);
    await expect(subject.sandbox.write("x.txt", Buffer.from(""), { key: run }, never)).rejects.toThrow(
      /used for a command/,
    );
    await expect(subject.sandbox.run(command(write, "true"), never)).rejects.toThrow(/used for a file/);
  });
}
