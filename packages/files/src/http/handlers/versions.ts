// The versions of a file: listed, restored, deleted.

import type { RouteName } from '@stowage/contract';
import type { VersionAddress, Versions } from '../../tree/versions.ts';
import { type Call, type HandlersOf, idOf } from '../handler.ts';

export interface VersionHandlersOptions {
  readonly versions: Versions;
}

export function versionHandlers({ versions }: VersionHandlersOptions): HandlersOf<'versions'> {
  const addressOf = (call: Call<RouteName>): VersionAddress => ({
    tenantId: call.caller.account.tenantId,
    id: idOf(call),
    versionId: call.params.versionId ?? '',
  });

  return {
    listVersions: async (call) => ({ body: { versions: await versions.list(addressOf(call)) } }),
    restoreVersion: async (call) => ({ body: await versions.restore(addressOf(call)) }),
    deleteVersion: async (call) => {
      const subject = { kind: 'version', id: call.params.versionId ?? '' };
      const note = call.note({ action: 'version.purged', subject, details: { fileId: idOf(call) } });
      await versions.remove(addressOf(call), { note, may: call.access.allows, noteOf: call.note });
      return { body: undefined };
    },
  };
}
