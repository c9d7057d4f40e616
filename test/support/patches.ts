/** Which `patched` places a run came by, read from its history. */
import type { temporal } from "@temporalio/proto";

export function patchesIn({ events }: temporal.api.history.v1.IHistory): string[] {
  return (events ?? []).flatMap((event) => {
    const data = event.markerRecordedEventAttributes?.details?.["patch-data"]?.payloads?.[0]?.data;
    return data ? [(JSON.parse(Buffer.from(data).toString()) as { id: string }).id] : [];
  });
}
