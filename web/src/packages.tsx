import type { PackageView } from "./api.gen";

/** Packages with the version installed and the version to reach. */
export function Packages({ packages }: { packages: PackageView[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Package</th>
          <th scope="col">From</th>
          <th scope="col">To</th>
        </tr>
      </thead>
      <tbody>
        {packages.map(({ package: name, architecture, from, to }) => (
          <tr key={`${name} ${architecture}`} data-testid="package">
            <td>
              {name} <span className="faint">{architecture}</span>
            </td>
            <td className="version">{from}</td>
            <td className="version">{to}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
