/** A delivery whose body comes in parts, or never ends. */
import { request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Sends raw parts with Node's own client, which neither waits for nor minds an early answer. */
export function pour(url: string, headers: Record<string, string>, parts: Iterable<Uint8Array>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/webhook/github`, { method: "POST", headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
    request.on("error", reject);
    void (async () => {
      for (const part of parts) {
        if (request.destroyed) return;
        if (!request.write(part)) await Promise.race([new Promise((done) => request.once("drain", done)), sleep(2000)]);
      }
      request.end();
    })();
  });
}
