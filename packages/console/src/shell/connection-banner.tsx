// Says that the connection is gone, and that nothing is lost by it.

import { useOnline, useUploads } from '@stowage/react';
import { CloudOff, WifiOff } from 'lucide-react';
import type { ReactNode } from 'react';
import './connection-banner.css';

/** `isServiceSilent`: another part of the page finds that the service does not answer. */
export function ConnectionBanner({ isServiceSilent }: { readonly isServiceSilent: boolean }): ReactNode {
  const isOnline = useOnline();
  const { items, totals } = useUploads();
  const isTroubled = isServiceSilent || items.some(({ trouble }) => trouble !== undefined);
  if (isOnline && !isTroubled) return <div role="status" />;
  const after = totals.active > 0 ? ' Uploads go on by themselves when it is back.' : '';
  const Icon = isOnline ? CloudOff : WifiOff;
  return (
    <div role="status" className="connection-banner">
      <Icon size={17} aria-hidden="true" />
      <span>{isOnline ? `Stowage does not answer; trying again.${after}` : `You are offline.${after}`}</span>
    </div>
  );
}
