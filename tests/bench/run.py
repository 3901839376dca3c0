"""Every measured figure of the README, one table after the other: `tox -e bench`."""

import bench_engine
import bench_gif
import bench_import
import bench_memory

if __name__ == "__main__":
    for bench in (bench_engine, bench_memory, bench_import, bench_gif):
        bench.main()
