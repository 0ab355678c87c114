create temp table {staged} on commit drop as select {columns} from {table} with no data
