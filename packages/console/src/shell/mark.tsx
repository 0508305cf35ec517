// The product's mark; public/mark.svg is the same drawing for the browser's tab.

import type { ReactNode } from 'react';

export function Mark(): ReactNode {
  return (
    <svg className="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#0b6e6a" />
      <path d="M8 12.5 16 8l8 4.5-8 4.5z" fill="#fff" />
      <path
        d="M8 16.6 16 21l8-4.4M8 20.4l8 4.4 8-4.4"
        fill="none"
        stroke="#fff"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
