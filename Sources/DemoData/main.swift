print("demo data")
