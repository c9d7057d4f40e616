/** A command server in a container, on one attached exec that is kept open. */
import type { Socket } from "node:net";
import { never } from "./waiting.ts";
import { commandServer } from "./command-server.ts";
import type { Channel } from "./connection.ts";
import { ROOT } from "./docker-container.ts";
import type { DockerEngine } from "./docker-engine.ts";

export async function startInContainer(engine: DockerEngine, container: string, key: string): Promise<Channel> {
  const doing = `Starting the command server of sandbox ${key}`;
  const exec = await engine.call(doing, never, (docker, abortSignal) =>
    docker.getContainer(container).exec({
      Cmd: commandServer(ROOT, "docker", key),
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      WorkingDir: ROOT,
      abortSignal,
    }),
  );
  const socket = (await engine.call(doing, never, (_, abortSignal) =>
    exec.start({ hijack: true, stdin: true, abortSignal }),
  )) as Socket;
  socket.setNoDelay(true);
  // An idle connection to a distant engine must not be forgotten by what stands between.
  socket.setKeepAlive(true, 30_000);
  return {
    input: socket,
    listen(onOutput, onEnd) {
      let complaints = "";
      const split = demultiplexer(onOutput, (chunk) => (complaints = (complaints + chunk.toString()).slice(-2000)));
      socket.on("data", split);
      socket.on("error", (error: Error) => onEnd(error.message));
      socket.on("close", () => onEnd(`The command server ended. ${complaints}`.trim()));
      // The engine closes its side when the exec ends.
      socket.on("end", () => socket.destroy());
    },
    hold: (held) => void (held ? socket.ref() : socket.unref()),
    destroy: () => void socket.destroy(),
  };
}

/** Takes the engine's stream apart: eight bytes of header (stream, three zeros, length), then that many bytes. */
export function demultiplexer(
  onOutput: (chunk: Buffer) => void,
  onError: (chunk: Buffer) => void,
): (chunk: Buffer) => void {
  let header = Buffer.alloc(0);
  let left = 0;
  let isError = false;
  return (chunk) => {
    for (let at = 0; at < chunk.length;) {
      if (left > 0) {
        const part = chunk.subarray(at, at + left);
        at += part.length;
        left -= part.length;
        (isError ? onError : onOutput)(part);
        continue;
      }
      const missing = chunk.subarray(at, at + 8 - header.length);
      at += missing.length;
      header = Buffer.concat([header, missing]);
      if (header.length < 8) return;
      isError = header[0] === 2;
      left = header.readUInt32BE(4);
      header = Buffer.alloc(0);
    }
  };
}
