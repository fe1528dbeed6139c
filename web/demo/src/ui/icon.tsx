// Line icons, drawn on a grid of 24.

const PATHS = {
  swap: 'M7 10H20M16 6l4 4-4 4M17 18H4M8 14l-4 4 4 4',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  clear: 'M6 6l12 12M18 6L6 18',
  open: 'M4 20V6h6l2 2h8v12zM12 17v-6M9 14l3-3 3 3',
  save: 'M12 4v11M8 11l4 4 4-4M4 20h16',
  next: 'M12 5v13M6 12l6 6 6-6',
  send: 'M12 20V5M6 11l6-6 6 6',
  stop: 'M7 7h10v10H7z',
  plus: 'M12 5v14M5 12h14',
  again: 'M19 12a7 7 0 1 1-2-5M19 4v4h-4',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  remove: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  menu: 'M4 7h16M4 12h16M4 17h16',
  chip: 'M7 7h10v10H7zM10 4v3M14 4v3M10 17v3M14 17v3M4 10h3M4 14h3M17 10h3M17 14h3',
  status: 'M4 13h4l2-7 4 13 2-6h4',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2',
  shield: 'M12 3l7 3v6c0 4-3 7-7 9-4-2-7-5-7-9V6z',
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
