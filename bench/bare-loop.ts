/** The same turns without Mergewright: the SDK and a fresh `docker exec` each, nothing kept, nothing durable. */
import Anthropic from "@anthropic-ai/sdk";
import Docker from "dockerode";
import { execFile } from "node:child_process";
import { PassThrough } from "node:stream";
import { promisify } from "node:util";

export interface BareLoopOptions {
  baseUrl: string;
  /** null: commands run on the host. */
  image: string | null;
  opening: string;
  system: string;
}

/** Runs until the model uses no tool any more; the time between its requests is read from the model's ledger. */
export async function bareLoop({ baseUrl, image, opening, system }: BareLoopOptions): Promise<void> {
  const client = new Anthropic({ apiKey: "played", baseURL: baseUrl, maxRetries: 0 });
  const shell = image === null ? hostShell() : await containerShell(image);
  try {
    const messages: Anthropic.MessageParam[] = [{ role: "user", content: opening }];
    for (;;) {
      const stream = client.messages.stream({
        model: "claude-sonnet-5-5",
        max_tokens: 32_000,
        system,
        tools: [{ type: "bash_20250124", name: "bash" }],
        messages,
      });
      const { content } = await stream.finalMessage();
      messages.push({ role: "assistant", content });
      const results: Anthropic.ToolResultBlockParam[] = [];
      for (const block of content) {
        if (block.type !== "tool_use") continue;
        const { command } = block.input as { command: string };
        results.push({
          type: "tool_result",
          tool_use_id: block.id,
          content: (await shell.run(command)) || "[no output]",
        });
      }
      if (results.length === 0) return;
      messages.push({ role: "user", content: results });
    }
  } finally {
    await shell.end();
  }
}

interface Shell {
  run(command: string): Promise<string>;
  end(): Promise<void>;
}

function hostShell(): Shell {
  const run = promisify(execFile);
  return { run: async (command) => (await run("bash", ["-c", command])).stdout, end: async () => undefined };
}

async function containerShell(image: string): Promise<Shell> {
  const docker = new Docker();
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: ["sleep"],
    Cmd: ["3600"],
    HostConfig: { NetworkMode: "none", Init: true },
  });
  await container.start();
  return {
    async run(command) {
      const exec = await container.exec({ Cmd: ["bash", "-c", command], AttachStdout: true, AttachStderr: true });
      const stream = await exec.start({});
      const output = new PassThrough();
      docker.modem.demuxStream(stream, output, output);
      const chunks: Buffer[] = [];
      output.on("data", (chunk: Buffer) => chunks.push(chunk));
      await new Promise((resolve, reject) => stream.once("end", resolve).once("error", reject));
      await exec.inspect();
      return Buffer.concat(chunks).toString("utf8");
    },
    async end() {
      await container.remove({ force: true, v: true });
    },
  };
}
