/** Where in the desk somebody is: the part of the address after `#`. */

let path = $state(read());

window.addEventListener("hashchange", () => (path = read()));

/** `/work`, `/review`, `/lead/people`, with what belongs to it after that. */
export function route(): string {
  return path;
}

export function go(to: string): void {
  location.hash = `#${to}`;
}

function read(): string {
  const given = decodeURIComponent(location.hash.slice(1));
  return given.startsWith("/") ? given : "/";
}
