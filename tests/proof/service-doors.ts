// Every way on which the service might give out bytes of a file, tried as a client would.

import type { RouteName } from '@stowage/contract';
import type { DoorAnswer, Doors } from './invariants/examination.ts';
import { type Caller, type CallOptions, type ProofWorld, serviceOrigin } from './proof-world.ts';

interface DoorsOptions {
  readonly world: ProofWorld;
  readonly owner: Caller;
  readonly stranger: Caller;
  /** Addresses of shares by the file that they show. */
  readonly shares: ReadonlyMap<string, readonly string[]>;
}

export function openDoors({ world, owner, stranger, shares }: DoorsOptions): Doors {
  async function tryRoute<Name extends RouteName>(
    name: Name,
    caller: Caller,
    options: CallOptions<Name>,
  ): Promise<DoorAnswer> {
    const response = await world.respond(name, caller, options);
    await response.body?.cancel();
    const { status } = response;
    return { door: name, status, opened: response.headers.has('location') || (givesBytes.has(name) && status < 300) };
  }

  async function tryShare(address: string): Promise<DoorAnswer> {
    const response = await world.send(
      new Request(new URL(address, serviceOrigin), { headers: { accept: 'application/json' } }),
    );
    await response.body?.cancel();
    const { status } = response;
    return {
      door: address.replace(/^\/s\/[^/]+/, '/s/…'),
      status,
      opened: response.headers.has('location') || status === 200,
    };
  }

  return {
    asOwner: async ({ id: version, lineId, role }) => {
      const ofVersion = { params: { id: lineId }, query: { version } };
      const answers = [
        await tryRoute('getContent', owner, ofVersion),
        await tryRoute('getContent', owner, { ...ofVersion, query: { version, disposition: 'inline' } }),
      ];
      // By the file's id its current version is given; by that of a later version nothing is.
      const ids = [...(role === 'current' ? [lineId] : []), ...(version === lineId ? [] : [version])];
      for (const id of ids) {
        answers.push(
          await tryRoute('getContent', owner, { params: { id } }),
          await tryRoute('getContent', owner, { params: { id }, query: { disposition: 'inline' } }),
          await tryRoute('getPreview', owner, { params: { id, preset: 'thumbnail' } }),
          await tryRoute('createLink', owner, { params: { id }, body: {} }),
          await tryRoute('createShare', owner, { body: { fileId: id } }),
          await tryRoute('getArchive', owner, { query: { files: id } }),
        );
        for (const address of shares.get(lineId) ?? []) {
          for (const way of [`/files/${id}`, `/files/${id}/preview`, ...(id === lineId ? ['/archive'] : [])])
            answers.push(await tryShare(new URL(address, serviceOrigin).pathname + way));
        }
      }
      return answers;
    },

    asStranger: async ({ id, lineId }) => [
      await tryRoute('getFile', stranger, { params: { id: lineId } }),
      await tryRoute('getUpload', stranger, { params: { id } }),
      await tryRoute('getContent', stranger, { params: { id: lineId }, query: { version: id } }),
      await tryRoute('listVersions', stranger, { params: { id: lineId } }),
      await tryRoute('deleteFile', stranger, { params: { id: lineId } }),
      await tryRoute('abortUpload', stranger, { params: { id } }),
    ],
  };
}

/** Routes whose success is bytes, or an address of some in its body. */
const givesBytes: ReadonlySet<RouteName> = new Set(['createLink', 'createShare', 'getArchive'] satisfies RouteName[]);
