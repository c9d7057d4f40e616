/** The artifact store: can something be put there, read back and removed? And which key encrypts it? */
import type { Config } from "../../config/config.ts";
import { AccessDenied, CannotDecrypt, MergewrightError } from "../../domain/errors.ts";
import { createArtifacts } from "../../workers/artifacts.ts";
import { fail, ok, type Finding } from "./finding.ts";

export async function checkArtifacts(config: Pick<Config, "artifacts" | "payloadKeys">): Promise<Finding[]> {
  const name = "Artifacts";
  const { url } = config.artifacts;
  const store = createArtifacts(config);
  const folder = `doctor/${process.pid}-${Date.now().toString(36)}`;
  const content = Buffer.from("Mergewright was here.");
  try {
    await store.put(`${folder}/probe`, content);
    const back = await store.get(`${folder}/probe`);
    await store.remove(folder);
    if (back === null || !content.equals(back))
      return [
        fail(
          name,
          `${url} takes artifacts, but does not give them back as they were.`,
          "Choose another store in ARTIFACTS_URL.",
        ),
      ];
  } catch (error) {
    if (!(error instanceof MergewrightError)) throw error;
    // Our own messages say what to do.
    return [fail(name, error.message, mendOf(error))];
  }
  const [first, ...others] = config.payloadKeys;
  const older = others.length === 0 ? "" : `; readable with ${others.map(({ id }) => id).join(", ")} too`;
  const how = first
    ? `encrypted with the key ${first.id}${older}`
    : "not encrypted: MERGEWRIGHT_PAYLOAD_KEY is not set";
  return [ok(name, `${url} can be written and read; what is stored is ${how}.`)];
}

function mendOf(error: MergewrightError): string {
  if (error instanceof AccessDenied) return "Correct the credentials or the permissions, then run doctor again.";
  if (error instanceof CannotDecrypt) return "Correct MERGEWRIGHT_PAYLOAD_KEY.";
  return "Correct ARTIFACTS_URL or S3_ENDPOINT, or start what they name, then run doctor again.";
}
